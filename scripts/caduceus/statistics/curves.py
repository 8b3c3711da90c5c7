"""Bring the curves of several runs together on an axis, and estimate a statistic at each value.

Runs are brought together by the value of the axis: at each value that some run has logged, the
other runs' values are interpolated linearly between their rows, and never beyond their first or
last row. So the number of runs differs along the axis where they start or end at other values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from caduceus.statistics.cross_validation import error_factor
from caduceus.statistics.estimates import STATISTICS, best_interval, interval_of, t_interval
from caduceus.statistics.samples import Array
from caduceus.statistics.settings import Methods

Curve: TypeAlias = tuple[NDArray[Any], Array]  # increasing axis, and values; both (n,)

_STEPS_AT_ONCE = 50  # limits the memory that bootstrap samples take


@dataclass(frozen=True)
class AxisCurve:
    """A metric of a run as a function of an axis.

    Attributes:
        axis: its values, increasing, (n,).
        values: the metric there, (n,).
        without: how many rows with the metric have no finite number on the axis.
        replaced: how many rows a later one replaces.
        falls: whether the axis falls as the run goes on.
    """

    axis: NDArray[Any]
    values: Array
    without: int
    replaced: int
    falls: bool = False

    def reaches(self, at: float) -> bool:
        """Whether the run goes on to a value of the axis."""
        return bool(len(self.axis)) and bool(
            self.axis[0] <= at if self.falls else at <= self.axis[-1]
        )

    def value_before(self, at: float) -> float | None:
        """Return the metric at a value of the axis or in the last row before; None without one."""
        if self.falls:
            index = int(np.searchsorted(self.axis, at, "left"))
        else:
            index = int(np.searchsorted(self.axis, at, "right")) - 1
        return float(self.values[index]) if 0 <= index < len(self.axis) else None

    def value_at(self, at: float) -> float | None:
        """Return the metric at a value of the axis, interpolated linearly between two rows.

        After the last row it is that of `value_before`.
        """
        if len(self.axis) and self.axis[0] <= at <= self.axis[-1] and at not in self.axis:
            return float(np.interp(at, self.axis, self.values))
        return self.value_before(at)

    @property
    def is_logged(self) -> bool:
        """Whether any row has the metric, with a number on the axis or without."""
        return bool(len(self.axis) or self.without)

    @property
    def curve(self) -> Curve:
        """The axis and the values."""
        return self.axis, self.values


def on_axis(axis: NDArray[Any], values: Array) -> AxisCurve:
    """Return a metric as a function of an axis.

    Rows without a finite number on the axis are left out. Where the axis repeats a value or goes
    back, as after a resume, later rows replace the earlier ones from there on; then the axis
    increases. An axis that falls more often than it rises is taken in reverse.

    Args:
        axis: in the order in which the rows were logged, (rows,).
        values: the metric in these rows, (rows,).
    """
    is_there = np.isfinite(axis)
    found, kept_values = axis[is_there], values[is_there]
    changes = np.diff(found)
    falls = bool((changes < 0).sum() > (changes > 0).sum())
    direction = -1 if falls else 1
    forward = direction * found
    least_later = np.minimum.accumulate(forward[::-1])[::-1][1:]
    is_kept = np.ones(len(found), np.bool_)
    is_kept[:-1] = forward[:-1] < least_later
    return AxisCurve(
        found[is_kept][::direction],
        kept_values[is_kept][::direction],
        int((~is_there).sum()),
        int((~is_kept).sum()),
        falls,
    )


def align(curves: Sequence[Curve], most: int | None = None) -> tuple[Any, Array]:
    """Interpolate curves at common values of their axis, here called steps.

    Args:
        curves: one curve per run.
        most: the maximum number of steps; if there are more, an evenly spaced choice of them is
            used.

    Returns:
        The steps at which at least one curve has a value, (steps,), and the values of all curves
        there, (curves, steps): interpolated linearly, NaN outside a curve's own steps.
    """
    steps = np.unique(np.concatenate([at for at, _ in curves]))
    if most is not None and len(steps) > most:
        steps = steps[np.linspace(0, len(steps) - 1, most).round().astype(int)]
    values = [np.interp(steps, at, found, left=np.nan, right=np.nan) for at, found in curves]
    return steps, np.array(values)


def breaks(steps: NDArray[Any], curves: Sequence[Curve]) -> NDArray[np.intp]:
    """Return the places in `steps` that no line may reach from the step before.

    Between the two is a part of the axis on which no curve runs, as the ones end before the others
    start.

    Args:
        steps: from `align`, or a choice of them in order.
        curves: the curves that were aligned, each with a step.
    """
    spans = sorted((at[0], at[-1]) for at, _ in curves)
    reached = np.maximum.accumulate([last for _, last in spans])
    ends = [end for end, (first, _) in zip(reached, spans[1:], strict=False) if first > end]
    places = np.unique(np.searchsorted(steps, ends, "right")).astype(np.intp)
    return places[(places > 0) & (places < len(steps))]


def estimate_steps(values: Array, methods: Methods) -> tuple[Any, Array, Array, Array]:
    """Estimate a statistic at each step, over the runs that have a value there.

    Args:
        values: (runs, steps), NaN where a run has no value; each step has at least one.
        methods: how they are estimated.

    Returns:
        The number of runs, the statistic, and the lower and upper ends of its interval, which are
        NaN for a single run; each (steps,).
    """
    ordered = np.sort(values.T, axis=-1)  # NaN is sorted to the end
    n = np.isfinite(ordered).sum(axis=-1)
    value = np.empty(len(n))
    # Steps with the same number of runs form a rectangular array, and are computed together.
    for count in np.unique(n):
        places = n == count
        value[places] = STATISTICS[methods.statistic](ordered[places, :count])
    low, high = (np.where(n > 1, value, np.nan) for _ in range(2))
    varies = ordered[:, 0] < ordered[np.arange(len(n)), n - 1]
    for count in np.unique(n[varies]):
        places = np.flatnonzero(varies & (n == count))
        low[places], high[places] = _intervals(ordered[places, :count], methods)
    return n, value, low, high


def _intervals(values: Array, methods: Methods) -> tuple[Array, Array]:
    """Return the lower and upper ends, (steps,), of the intervals of `values`, (steps, n)."""
    statistic, confidence = methods.statistic, methods.confidence
    if methods.folds is not None:
        low, high = t_interval(values, "mean", confidence)
        widened = (high - low) / 2 * (error_factor(values.shape[1], methods.folds) - 1)
        return low - widened, high + widened
    interval = methods.interval or best_interval(statistic, values.shape[1], confidence)
    settings = (statistic, interval, confidence, methods.resamples, 0)
    blocks = np.split(values, range(_STEPS_AT_ONCE, len(values), _STEPS_AT_ONCE))
    low, high = zip(*(interval_of(block, *settings) for block in blocks), strict=True)
    return np.concatenate(low), np.concatenate(high)
