"""W&B's early termination: which runs hyperband stops, and at which band.

The rule is that of W&B's package `sweeps` 0.3.0, `sweeps/hyperband_stopping.py`. Only rows that
hold a finite number under the metric count, and a band is a number of such rows. Of n runs that
came as far as a band, floor(n / eta) + 1 go on, and those as good as the last of them.

W&B judges a run against all runs of the moment, so that its answer depends on who is how far. Here
trial t is judged once at each band, by its rows up to there, against itself and trials
0 .. t - lag, whose results it was suggested from. That is W&B's answer, were it asked as soon as
the row is there and knew of these runs alone; it is the same whatever ran beside it and whenever it
is asked. What W&B does besides has no place in it: it judges a run again as others reach its last
band, and not at all at a band that it passes between two looks.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

from caduceus.runs.goal import Goal

# As many as W&B looks at; no run has more rows than the limit.
_MOST_BANDS = 100
_MOST_ROWS = 10**15


@dataclass(frozen=True)
class HyperbandSettings:
    """The key `early_terminate` of a sweep; either `min_iter`, or `max_iter` and `s`, are given.

    Attributes:
        min_iter: the first band; each next one is eta times as far.
        max_iter: from here the bands lie backwards, each at 1/eta of the one after it; `max_iter`
            itself is none. It goes before `min_iter`, as with W&B.
        s: how many bands there are at most before `max_iter`.
        eta: more than 1; one in eta runs goes on at each band.
        strict: whether a run is judged by its value at the band, or by its best up to there.
    """

    min_iter: int | None = None
    max_iter: int | None = None
    s: int | None = None
    eta: float = 3
    strict: bool = True


class BandValue(NamedTuple):
    """What a run had reached at a band, in the metric's own unit."""

    value: float
    best: float  # up to here


def bands(settings: HyperbandSettings) -> list[int]:
    """The bands, ascending, each once; none if eta is too large for `max_iter`.

    Raises:
        ValueError: neither `min_iter` nor both `max_iter` and `s` are given.
    """
    if settings.max_iter is not None and settings.s is not None:
        found = _below(settings.max_iter, settings.eta, settings.s)
    elif settings.min_iter is not None:
        found = _from(settings.min_iter, settings.eta)
    else:
        raise ValueError("hyperband needs min_iter, or max_iter and s")
    return sorted(set(found))


def _below(last: float, eta: float, count: int) -> Iterable[int]:
    for _ in range(count):
        last /= eta
        if last < 1:
            return
        yield int(last)


def _from(band: float, eta: float) -> Iterable[int]:
    for _ in range(_MOST_BANDS):
        if band > _MOST_ROWS:
            return
        yield int(band)
        band *= eta


def valid_values(history: Iterable[Any]) -> list[float]:
    """What of a metric's `history` counts: the finite numbers in it, without True and False."""
    return [value for value in history if _is_number(value)]


def _is_number(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return -(2**63) <= value < 2**64  # W&B asks numpy, which knows no larger integers
    return isinstance(value, float) and math.isfinite(value)


def band_values(history: Iterable[Any], bands: Sequence[int], goal: Goal) -> dict[int, BandValue]:
    """What W&B compares of a run: its values at each of `bands` that it has reached.

    Args:
        history: the metric in each row, in the order of the rows; what is missing or no finite
            number doesn't count as a row.
        bands: as `bands` gives them.
        goal: which value is best.
    """
    values = valid_values(history)
    best = list(accumulate(values, goal.better))
    return {
        band: BandValue(values[band - 1], best[band - 1]) for band in bands if band <= len(values)
    }


def verdict(
    own: Mapping[int, BandValue],
    others: Sequence[Mapping[int, BandValue]],
    settings: HyperbandSettings,
    goal: Goal,
) -> int | None:
    """The first band at which a run is to be stopped, or None.

    Args:
        own: the run's values at the bands it has reached; more bands don't change a verdict on the
            first ones.
        others: those of the runs it is compared with, whatever became of them: stopped ones count
            at the bands they reached.
        settings: of the sweep.
        goal: of the sweep's metric.
    """
    for band in sorted(own):
        values = [other[band].value for other in others if band in other]
        costs = sorted(goal.sign * value for value in (*values, own[band].value))
        threshold = costs[int(1 / settings.eta * len(costs))]
        judged = own[band].value if settings.strict else own[band].best
        if goal.sign * judged > threshold:
            return band
    return None
