"""A parameter as an axis of a figure: where its values lie, and how they are written."""

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

LETTER_IN = 0.055  # inches: what a letter of a tick's label takes, or a little less
NAME_LETTERS = 30  # the most of a parameter's or a metric's name
_NAME_SHARE = 0.32  # of a figure's width, for the names beside its axes
_MARGIN = 0.03  # what an axis goes on beyond its values, as a share of its length
_LINE_IN = 0.13  # inches: the least distance of two lines of text


@dataclass(frozen=True)
class ParameterAxis:
    """How a figure shows a parameter.

    Attributes:
        name: of the parameter.
        scale: "levels" puts the values that were listed at 0, 1, 2, ...
        low: where the axis starts.
        high: where it ends; above `low`.
        levels: how the listed values are written.
        positions: where the values of the trials lie, in their order.
        is_whole: whether all values are whole numbers.
    """

    name: str
    scale: Literal["linear", "log", "levels"]
    low: float
    high: float
    levels: tuple[str, ...]
    positions: tuple[float, ...]
    is_whole: bool

    def fractions(self) -> list[float]:
        """Where the values of the trials lie, from 0 at the start of the axis to 1 at its end."""
        low, high, places = self.low, self.high, self.positions
        if self.scale == "log":
            low, high, places = math.log(low), math.log(high), tuple(map(math.log, places))
        return [(place - low) / (high - low) for place in places]


def parameter_axis(parameter: Parameter, values: Sequence[Any]) -> ParameterAxis:
    """The axis of a parameter that isn't constant, and the places of the trials' `values` on it."""
    distribution = parameter.distribution
    if isinstance(distribution, Categorical):
        ends = [distribution.cdf(level) for level in distribution.levels]
        return ParameterAxis(
            parameter.name,
            "levels",
            -0.5,
            len(ends) - 0.5,
            tuple(map(_written, distribution.levels)),
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
    if low == high:  # nothing but one value is known of an unbounded distribution
        low, high = (low / 2, high * 2) if is_log else (low - 1, high + 1)
    # Marks at the ends must not touch the frame.
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
    """`text` for a figure, in at most `most` letters: of a longer one both ends are kept."""
    if len(text) > most:
        tail = (most - 1) // 2
        text = text[: most - 1 - tail] + "…" + text[len(text) - tail :]
    return text.replace("$", r"\$")  # else what stands between two would be set as mathematics


def name_letters(width: float) -> int:
    """How many letters of a parameter's name have room beside an axis in `width` inches."""
    return min(NAME_LETTERS, int(_NAME_SHARE * width / LETTER_IN))


def label_depth(axis: ParameterAxis, width: float) -> float:
    """How many inches the tick labels of an axis of `width` inches need across it."""
    if not _is_upright(axis.levels, width):
        return _LINE_IN
    return max(map(len, axis.levels)) * LETTER_IN


def dress(axes: Axes, axis: ParameterAxis, width: float) -> None:
    """Give the x axis of `axes`, `width` inches wide, the parameter's scale and ticks."""
    axes.tick_params(axis="x", length=2, pad=1.5)
    if axis.scale == "levels":
        axes.set_xlim(axis.low, axis.high)
        step = 1
        if _is_upright(axis.levels, width):
            axes.tick_params(axis="x", labelrotation=90)
            step = math.ceil(len(axis.levels) * _LINE_IN / width)  # the labels between overlap
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
    else:  # too few powers of ten lie between
        places = _round_numbers(axis.low, axis.high)
        places = places[:: math.ceil(len(places) / ticks)]
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.xaxis.set_minor_locator(NullLocator())


def _round_numbers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten between two numbers above 0; else a number between."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    middle = float(f"{math.sqrt(low * high):.2g}")
    return [number for number in numbers if low <= number <= high] or [middle]


def _written(value: Any) -> str:
    """A listed value as a configuration has it, shortened."""
    return shorten(value if isinstance(value, str) else json.dumps(value), 16)


def _is_upright(levels: Sequence[str], width: float) -> bool:
    """Whether the levels, written side by side on `width` inches, would overlap."""
    letters = max((len(one) + len(other) for one, other in pairwise(levels)), default=0) / 2 + 1
    return letters * LETTER_IN > width / max(len(levels), 1)
