"""Adjust p values of many paired comparisons by flipping the signs of whole seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from caduceus.statistics.estimates import STATISTICS
from caduceus.statistics.samples import Array, midranks, without_rounding_errors
from caduceus.statistics.settings import PairedTest, Statistic

_MAX_FLIPPED = 16  # up to so many seeds all ways to flip their signs are computed
_DRAWS = 19_999  # at random beyond that; the observed signs are counted with them
_MOST = 20_000_000  # statistics in memory
_TIE = 1e-10  # relative to a statistic's root mean square

Pair = tuple[Mapping[int, float], Mapping[int, float]]  # the values of both sides, by seed


@dataclass(frozen=True)
class JointFlips:
    """The result of `flip_jointly`, an item for each pair.

    Attributes:
        p: two-sided p, adjusted for the number of pairs, (m,).
        minimum_p: the smallest adjusted p that a pair could have, given the others, (m,).
        difference: the tested statistic of the first side less that of the second, (m,).
    """

    p: Array
    minimum_p: Array
    difference: Array


def flip_jointly(
    pairs: Sequence[Pair],
    test: PairedTest = "sign_flip",
    statistic: Statistic = "mean",
    alpha: float = 0.05,
    seed: int = 0,
) -> JointFlips:
    """Test all pairs together by the step-down maxT method with sign flips.

    A flip exchanges both sides of all pairs at the same seeds, so that pairs may depend on each
    other in any way. Each difference is divided by its root mean square over all flips, and
    compared with the largest of all pairs under each flip; then, without the pairs that are
    already significant, with the largest of the others (Westfall & Young 1993; Romano & Wolf 2005).
    If p of at most alpha are called significant, the probability of any false one is at most alpha,
    whichever differences are real, if the differences are distributed symmetrically.

    Args:
        pairs: m pairs; seeds that only one side has are left out.
        test: "wilcoxon" for the sum of signed ranks in place of the statistic.
        statistic: what is compared: of the mean the flips are those of the differences; of the
            median and the interquartile mean it is computed anew with values exchanged.
        alpha: the error rate, from which `minimum_p` follows.
        seed: seeds the random flips, which are drawn if there are more than 16 seeds.
    """
    shared = [sorted(first.keys() & second.keys()) for first, second in pairs]
    seeds = sorted(set().union(*shared))
    flips = _flips(len(seeds), len(pairs), seed)
    place = {each: at for at, each in enumerate(seeds)}
    statistics = np.empty((len(flips), len(pairs)))
    by_seeds: dict[tuple[int, ...], _Flips] = {}
    for column, ((first, second), common) in enumerate(zip(pairs, shared, strict=True)):
        if (key := tuple(common)) not in by_seeds:
            own = flips[:, [place[each] for each in common]]
            by_seeds[key] = _Flips(own, np.abs(own.sum(axis=1)) == len(common))
        sides = np.array([[side[each] for each in common] for side in (first, second)])
        statistics[:, column] = _differences(sides, by_seeds[key].signs, test, statistic)
    difference = statistics[0].copy()
    size = np.sqrt((statistics**2).mean(axis=0))
    scaled = np.abs(statistics, out=statistics)  # many pairs take hundreds of megabytes
    scaled /= np.where(size > 0, size, 1)
    p = _step_down(scaled)
    minimum = np.empty(len(pairs))
    for key, own_flips in by_seeds.items():
        bound = len(key) ** 0.5 - _TIE  # of a mean's scaled difference
        reached = (scaled >= bound) & (p > alpha)
        pairs_there = reached.sum(axis=1)
        for column in (at for at, common in enumerate(shared) if tuple(common) == key):
            beaten = pairs_there > reached[:, column]  # by another pair
            minimum[column] = np.mean(beaten | own_flips.all_alike)
    return JointFlips(p, minimum, difference)


@dataclass(frozen=True)
class _Flips:
    """The signs of some of the seeds, (flips, n), and under which flips they are all alike."""

    signs: Array
    all_alike: Array


def _flips(n: int, pairs: int, seed: int) -> Array:
    """Return signs, (flips, n), the observed first; a flip and its opposite are one."""
    if n <= _MAX_FLIPPED and 2 ** max(n - 1, 0) * pairs <= _MOST:
        bits = np.arange(2 ** max(n - 1, 0))[:, None] >> np.arange(n) & 1
        return np.where(bits, -1.0, 1.0)
    draws = min(_DRAWS, max(999, _MOST // pairs))
    drawn = np.random.default_rng(seed).choice((-1.0, 1.0), (draws, n))
    return np.concatenate((np.ones((1, n)), drawn))


def _differences(sides: Array, flips: Array, test: PairedTest, statistic: Statistic) -> Array:
    """Return the difference of both `sides`, (2, n), under each of `flips`, (flips, n)."""
    scale = float(np.abs(sides).max(initial=0))
    differences = without_rounding_errors(sides[0] - sides[1], scale)
    if test == "wilcoxon":
        differs = differences != 0
        differences[differs] = np.sign(differences[differs]) * midranks(
            np.abs(differences[differs])
        )
    if test == "wilcoxon" or statistic == "mean" or not sides.size:
        return np.asarray(flips @ differences)
    exchanged = np.where(flips[None] > 0, sides[:, None], sides[::-1, None])
    first, second = STATISTICS[statistic](exchanged)
    return without_rounding_errors(first - second, scale)


def _step_down(statistics: Array) -> Array:
    """Return adjusted p, (m,), of the first row of `statistics`, (flips, m)."""
    order = np.argsort(statistics[0], kind="stable")
    largest = statistics[:, order]
    observed = largest[0].copy()
    np.maximum.accumulate(largest, axis=1, out=largest)  # of a pair and all with smaller statistics
    p = (largest >= observed - _TIE).mean(axis=0)
    adjusted: Array = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[::-1])[::-1]
    return adjusted
