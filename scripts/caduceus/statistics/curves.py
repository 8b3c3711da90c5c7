"""Estimate a statistic of several runs at each step, with its interval."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from caduceus.statistics.estimates import STATISTICS, best_interval, interval_of
from caduceus.statistics.samples import Array
from caduceus.statistics.settings import Methods

Curve: TypeAlias = tuple[NDArray[Any], Array]  # increasing steps, and values; both (n,)

_STEPS_AT_ONCE = 50  # limits the memory that bootstrap samples take


def align(curves: Sequence[Curve], most: int | None = None) -> tuple[Any, Array]:
    """Interpolate curves at common steps.

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
    interval = methods.interval or best_interval(statistic, values.shape[1], confidence)
    settings = (statistic, interval, confidence, methods.resamples, 0)
    blocks = np.split(values, range(_STEPS_AT_ONCE, len(values), _STEPS_AT_ONCE))
    low, high = zip(*(interval_of(block, *settings) for block in blocks), strict=True)
    return np.concatenate(low), np.concatenate(high)
