"""A statistic of several runs at each step, with its interval."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from caduceus.statistics.estimates import STATISTICS, best_interval, interval_of
from caduceus.statistics.samples import Array

Curve: TypeAlias = tuple[NDArray[Any], Array]  # steps, which rise, and values; both (n,)

_BLOCK = 50  # steps whose bootstrap samples are held at a time


def align(curves: Sequence[Curve], most: int | None = None) -> tuple[Any, Array]:
    """Steps (steps,) at which some curve has a value, and the values (curves, steps) there.

    Between its own steps a curve is straight, before the first and after the last it is NaN.

    Args:
        curves: of several runs.
        most: how many steps; of more, so many are chosen evenly.
    """
    steps = np.unique(np.concatenate([at for at, _ in curves]))
    if most is not None and len(steps) > most:
        steps = steps[np.linspace(0, len(steps) - 1, most).round().astype(int)]
    values = [np.interp(steps, at, found, left=np.nan, right=np.nan) for at, found in curves]
    return steps, np.array(values)


def estimate_steps(values: Array, statistics: Mapping[str, Any]) -> tuple[Any, Array, Array, Array]:
    """A statistic of `values` (runs, steps) at each step, over the runs that have one there.

    Args:
        values: NaN where a run has none; each step has at least one.
        statistics: `paper.statistics`.

    Returns:
        The number of runs, the statistic, and the ends of its interval, which are NaN of a single
        run; each (steps,).
    """
    ordered = np.sort(values.T, axis=-1)  # NaN comes last
    n = np.isfinite(ordered).sum(axis=-1)
    value = np.empty(len(n))
    for count in np.unique(n):
        places = n == count
        value[places] = STATISTICS[statistics["statistic"]](ordered[places, :count])
    low, high = (np.where(n > 1, value, np.nan) for _ in range(2))
    varies = ordered[:, 0] < ordered[np.arange(len(n)), n - 1]
    for count in np.unique(n[varies]):
        places = np.flatnonzero(varies & (n == count))
        low[places], high[places] = _intervals(ordered[places, :count], statistics)
    return n, value, low, high


def _intervals(values: Array, statistics: Mapping[str, Any]) -> tuple[Array, Array]:
    """The ends (steps,) of the intervals of `values` (steps, n)."""
    statistic, confidence = statistics["statistic"], statistics["confidence"]
    interval = statistics["interval"] or best_interval(statistic, values.shape[1], confidence)
    about = (statistic, interval, confidence, statistics["resamples"], 0)
    blocks = np.split(values, range(_BLOCK, len(values), _BLOCK))
    low, high = zip(*(interval_of(block, *about) for block in blocks), strict=True)
    return np.concatenate(low), np.concatenate(high)
