"""A parameter as an axis of a figure: its scale, ticks and the positions of values."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from caduceus.sweeps.distributions import Categorical, IntUniform, Quantized
from caduceus.sweeps.ranges import LogNormal, LogUniform
from caduceus.sweeps.spaces import Parameter

LETTER_IN = 0.055  # width of a letter of a tick's label in inches, about
NAME_LETTERS = 30  # longest name of a parameter or metric
_NAME_SHARE = 0.32  # of a figure's width, for the names beside the axes
_MARGIN = 0.03  # share of an axis that is left free at either end
_LINE_IN = 0.13  # least distance of two lines of text in inches


@dataclass(frozen=True)
class ParameterAxis:
    """The axis of a parameter.

    Attributes:
        name: of the parameter.
        scale: "levels" puts a categorical parameter's values at 0, 1, 2, ...
        low: the start of the axis.
        high: its end; above `low`.
        levels: the labels of categorical values.
        positions: the positions of the trials' values, in their order.
        is_whole: whether all values are integers.
    """

    name: str
    scale: Literal["linear", "log", "levels"]
    low: float
    high: float
    levels: tuple[str, ...]
    positions: tuple[float, ...]
    is_whole: bool

    def fractions(self) -> list[float]:
        """Return the positions of the trials' values, from 0 at the start of the axis to 1."""
        low, high, places = self.low, self.high, self.positions
        if self.scale == "log":
            low, high, places = math.log(low), math.log(high), tuple(map(math.log, places))
        return [(place - low) / (high - low) for place in places]


def parameter_axis(parameter: Parameter, values: Sequence[Any]) -> ParameterAxis:
    """Return the axis of a parameter that isn't constant, with the trials' `values` on it."""
    distribution = parameter.distribution
    if isinstance(distribution, Categorical):
        ends = [distribution.cdf(level) for level in distribution.levels]
        return ParameterAxis(
            parameter.name,
            "levels",
            -0.5,
            len(ends) - 0.5,
            tuple(map(_level_label, distribution.levels)),
            tuple(float(ends.index(distribution.cdf(value))) for value in values),
            False,
        )
    base = distribution.base if isinstance(distribution, Quantized) else distribution
    bounds = (
        (distribution.low, distribution.high)
        if isinstance(distribution, IntUniform)
        else getattr(base, "support", ())
    )
    is_log = isinstance(base, LogUniform | LogNormal) and min(values, default=1) > 0
    shown = [*values, *(end for end in bounds if math.isfinite(end) and (end > 0 or not is_log))]
    low, high = (min(shown), max(shown)) if shown else (1.0, 1.0)
    if low == high:  # an unbounded distribution with a single value
        low, high = (low / 2, high * 2) if is_log else (low - 1, high + 1)
    # Keeps markers at the ends off the frame.
    if is_log:
        low, high = low / (high / low) ** _MARGIN, high * (high / low) ** _MARGIN
    else:
        low, high = low - (high - low) * _MARGIN, high + (high - low) * _MARGIN
    return ParameterAxis(
        parameter.name,
        "log" if is_log else "linear",
        float(low),
        float(high),
        (),
        tuple(map(float, values)),
        isinstance(distribution, IntUniform),
    )


def shorten(text: str, most: int) -> str:
    """Shorten `text` to at most `most` letters, keeping both ends, and escape $."""
    if len(text) > most:
        tail = (most - 1) // 2
        text = text[: most - 1 - tail] + "…" + text[len(text) - tail :]
    return text.replace("$", r"\$")  # matplotlib would read mathematics


def name_letters(width: float) -> int:
    """Return how many letters of a name fit beside an axis, in a figure `width` inches wide."""
    return min(NAME_LETTERS, int(_NAME_SHARE * width / LETTER_IN))


def label_depth(axis: ParameterAxis, width: float) -> float:
    """Return the height in inches of the tick labels of an axis of `width` inches."""
    if not _is_upright(axis.levels, width):
        return _LINE_IN
    return max(map(len, axis.levels)) * LETTER_IN


def set_axis(axes: Axes, axis: ParameterAxis, width: float) -> None:
    """Give the x axis of `axes`, `width` inches wide, the parameter's scale and ticks."""
    axes.tick_params(axis="x", length=2, pad=1.5)
    if axis.scale == "levels":
        axes.set_xlim(axis.low, axis.high)
        step = 1
        if _is_upright(axis.levels, width):
            axes.tick_params(axis="x", labelrotation=90)
            step = math.ceil(len(axis.levels) * _LINE_IN / width)  # more labels would overlap
        axes.set_xticks(range(0, len(axis.levels), step), axis.levels[::step])
        return
    axes.set_xscale(axis.scale)
    axes.set_xlim(axis.low, axis.high)
    ticks = max(2, min(6, int(width / 0.45)))
    if axis.scale == "linear":
        axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=axis.is_whole))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    elif axis.high / axis.low >= 1000:
        axes.xaxis.set_major_locator(LogLocator(numticks=ticks))
        axes.xaxis.set_minor_locator(NullLocator())
    else:  # the range holds too few powers of ten
        places = _round_numbers(axis.low, axis.high)
        places = places[:: math.ceil(len(places) / ticks)]
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.xaxis.set_minor_locator(NullLocator())


def _round_numbers(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten between two positive numbers, or their middle."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    middle = float(f"{math.sqrt(low * high):.2g}")
    return [number for number in numbers if low <= number <= high] or [middle]


def _level_label(value: Any) -> str:
    """Format a categorical value as in a configuration, shortened."""
    return shorten(value if isinstance(value, str) else json.dumps(value), 16)


def _is_upright(levels: Sequence[str], width: float) -> bool:
    """Whether the labels must be upright, as they would overlap on `width` inches."""
    letters = max((len(one) + len(other) for one, other in pairwise(levels)), default=0) / 2 + 1
    return letters * LETTER_IN > width / max(len(levels), 1)
