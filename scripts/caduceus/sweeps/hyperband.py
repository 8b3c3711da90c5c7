"""W&B's early termination: which runs hyperband stops, and at which rung.

A rung is a number of rows at which a run is compared with others; W&B calls it a bracket in its
documentation and a band in its code. The rule is that of W&B's package `sweeps` 0.3.0,
`sweeps/hyperband_stopping.py`, after Li et al., "Hyperband: A Novel Bandit-Based Approach to
Hyperparameter Optimization" (JMLR 18, 2018). Only rows with a finite value of the metric count. Of
n runs that have reached a rung, floor(n / eta) + 1 continue, and those that tie with the last one.

W&B compares a run with all runs of the moment, so its answer depends on which run is how far. Here
trial t is evaluated once per rung, by its rows up to the rung, against itself and trials
0 .. t - lag, from whose results it was suggested. That is W&B's answer if it is asked as soon as
the row is logged and knows only these runs. It doesn't depend on what ran at the same time. W&B
also evaluates a run again when others reach its last rung, and skips a rung that the run passes
between two polls; neither is done here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

from caduceus.runs.goal import Goal

_MOST_RUNGS = 100  # as in W&B's code
_MOST_ROWS = 10**15  # no run has more


@dataclass(frozen=True)
class HyperbandSettings:
    """The key `early_terminate` of a sweep, with either `min_iter`, or `max_iter` and `s`.

    Attributes:
        min_iter: the first rung, in rows; each further rung is eta times the one before.
        max_iter: the rungs are `max_iter` / eta, / eta**2, ...; `max_iter` itself is no rung. It
            overrides `min_iter`, as in W&B's code.
        s: the maximal number of rungs below `max_iter`.
        eta: more than 1; one in eta runs continues at each rung.
        strict: whether a run is evaluated by its value at the rung, or by its best value up to it.
        axis: the metric of which rungs are values, such as global_step; None for numbers of rows.
            It is no key of W&B's.
    """

    min_iter: int | None = None
    max_iter: int | None = None
    s: int | None = None
    eta: float = 3
    strict: bool = True
    axis: str | None = None


class RungValue(NamedTuple):
    """A run's metric at a rung: the value there, and the best value up to there."""

    value: float
    best: float


def rungs(settings: HyperbandSettings) -> list[int]:
    """Return the rungs in ascending order; none if eta is too large for `max_iter`.

    Raises:
        ValueError: neither `min_iter` nor both `max_iter` and `s` are given.
    """
    if settings.max_iter is not None and settings.s is not None:
        found = _rungs_below(settings.max_iter, settings.eta, settings.s)
    elif settings.min_iter is not None:
        found = _rungs_from(settings.min_iter, settings.eta)
    else:
        raise ValueError("hyperband needs min_iter, or max_iter and s")
    return sorted(set(found))


def _rungs_below(last: float, eta: float, count: int) -> Iterable[int]:
    for _ in range(count):
        last /= eta
        if last < 1:
            return
        yield int(last)


def _rungs_from(rung: float, eta: float) -> Iterable[int]:
    for _ in range(_MOST_RUNGS):
        if rung > _MOST_ROWS:
            return
        yield int(rung)
        rung *= eta


def finite_values(history: Iterable[Any]) -> list[float]:
    """Return the values that count: the finite numbers, without True and False."""
    return [value for value in history if _is_number(value)]


def _is_number(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return -(2**63) <= value < 2**64  # W&B uses numpy.isfinite, which fails on larger integers
    return isinstance(value, float) and math.isfinite(value)


def rung_values(
    history: Sequence[Any],
    rungs: Sequence[int],
    goal: Goal,
    places: Sequence[Any] | None = None,
) -> dict[int, RungValue]:
    """Return a run's values at each rung that it has reached.

    Args:
        history: the metric in each row, in the order of the rows; a row without a finite number
            doesn't count.
        rungs: the result of `rungs`.
        goal: which value is best.
        places: the axis in each of these rows; without it, the rows are counted.
    """
    values = finite_values(history)
    best = list(accumulate(values, goal.better))
    counts = {rung: rows_until(history, rung, places) for rung in rungs}
    return {
        rung: RungValue(values[count - 1], best[count - 1])
        for rung, count in counts.items()
        if count <= len(values)
    }


def rows_until(history: Sequence[Any], rung: int, places: Sequence[Any] | None = None) -> int:
    """Return the number of rows up to the first one that reaches a rung, of those that count.

    It exceeds their number if none reaches it. The arguments are those of `rung_values`.
    """
    if places is None:
        return rung
    counting = [place for place, value in zip(places, history, strict=True) if _is_number(value)]
    reached = (at for at, place in enumerate(counting) if _is_number(place) and place >= rung)
    return next(reached, len(counting)) + 1


def stopping_rung(
    own: Mapping[int, RungValue],
    others: Sequence[Mapping[int, RungValue]],
    settings: HyperbandSettings,
    goal: Goal,
) -> int | None:
    """Return the first rung at which a run is stopped, or None if it continues.

    Args:
        own: the run's values at the rungs it has reached; the result doesn't change with further
            rungs unless it is None.
        others: the values of the runs it is compared with; stopped and failed ones count at the
            rungs they have reached.
        settings: of the sweep.
        goal: of the sweep's metric.
    """
    for rung in sorted(own):
        values = [other[rung].value for other in others if rung in other]
        costs = sorted(goal.sign * value for value in (*values, own[rung].value))
        threshold = costs[int(1 / settings.eta * len(costs))]
        reached = own[rung].value if settings.strict else own[rung].best
        if goal.sign * reached > threshold:
            return rung
    return None
