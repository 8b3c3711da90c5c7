"""Compare two methods on test items, whose scores are paired item by item.

The trained runs are taken as they are: p and interval say how the difference varies with the items
of the test set, of which others could have been drawn. Items of one cluster, such as the questions
on one text, are drawn together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import bdtr, ndtr, stdtrit

from caduceus.errors import ResultError
from caduceus.statistics.randomization import minimum_sign_flip_p, sign_flips
from caduceus.statistics.samples import (
    Array,
    Values,
    all_equal,
    finite,
    standardized,
    without_rounding_errors,
)

ItemTest = Literal["mcnemar", "sign_flip", "crossed"]

LEAST_RARE = 10  # items whose difference isn't the commonest, for a reliable interval
_DRAWS = 99_999  # random sign flips, as in randomization.py
_MAX_EXACT = 20  # up to so many clusters that differ, all sign flips are computed
_FEW = 64  # so few distinct values are drawn by their counts, in place of one by one
_BLOCK = 4_000_000  # numbers that are drawn at a time, 32 MB


@dataclass(frozen=True)
class ItemComparison:
    """The difference between two methods on the same test items.

    Attributes:
        n: the number of items.
        clusters: the number of clusters of items; n if items are drawn one by one.
        seeds: the numbers of runs of either method, or of pairs if runs are paired by seed.
        effect: the mean score of the first minus that of the second.
        low: the lower end of the effect's confidence interval; NaN if nothing varies.
        high: its upper end.
        margin: the effect under the null hypothesis.
        p_greater: one-sided p of an effect above the margin.
        p_less: one-sided p of an effect below the margin.
        minimum_p: the smallest two-sided p that so many clusters, or seeds, can give.
        effect_size: the effect in standard deviations of an item, or of a cluster; NaN of a test
            over seeds and items, and if nothing varies.
        discordant: the number of items whose scores differ.
        test: "mcnemar", "sign_flip" or "crossed".
        is_constant: whether all items have the same difference, so that nothing shows how it
            varies and p is 1.
        rare: the number of items, or clusters, whose difference isn't the commonest one.
    """

    n: int
    clusters: int
    seeds: tuple[int, ...]
    effect: float
    low: float
    high: float
    margin: float
    p_greater: float
    p_less: float
    minimum_p: float
    effect_size: float
    discordant: int
    test: ItemTest
    is_constant: bool = False
    rare: int = 0

    @property
    def is_interval_reliable(self) -> bool:
        """Whether enough items differ from the others for the interval, 10 or more.

        Where about one does, as of 10 items or of 1,000 that nearly all are right, an interval of
        95 % contains the true difference in 64 %; where two do, in 88 %.
        """
        return self.rare >= LEAST_RARE

    @property
    def p(self) -> float:
        """Two-sided p, twice the smaller of the one-sided ones."""
        return min(1.0, 2 * min(self.p_greater, self.p_less))


def mcnemar(first_only: int, second_only: int) -> tuple[float, float]:
    """Return one-sided p of the first being right more often, and less often, than the second.

    Exact: of the items on which one is right and the other wrong, each is as likely to be either's
    under the null hypothesis (McNemar 1947).

    Args:
        first_only: the number of items on which only the first is right.
        second_only: the number of items on which only the second is right.
    """
    total = first_only + second_only
    return float(bdtr(second_only, total, 0.5)), float(bdtr(first_only, total, 0.5))


def compare_items(
    first: Values,
    second: Values,
    margin: float = 0.0,
    clusters: Values | None = None,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> ItemComparison:
    """Compare the scores of two methods item by item.

    The interval is a paired bootstrap over items or clusters, by expanded percentiles (Efron 1979;
    Hesterberg 2015). The test is McNemar's if scores are 0 or 1, there is no margin and items are
    drawn one by one. Else the signs of the items' or clusters' differences are flipped, which gives
    McNemar's p for such scores.

    Args:
        first: scores of the first method, (n,); of several runs, their means by item.
        second: scores of the second method on the same items, (n,).
        margin: the mean difference under the null hypothesis.
        clusters: a number for each item's cluster, (n,); None if items are drawn one by one.
        confidence: the confidence level of the interval.
        resamples: the number of bootstrap samples.
        seed: seeds the bootstrap and the random signs, which are drawn if more than 20 differ.

    Raises:
        ResultError: the numbers of scores differ, or one isn't finite.
    """
    one, other, groups = _checked(first, second, clusters)
    differences = _differences(one, other)
    sums, sizes = cluster_sums(differences, groups), cluster_sums(np.ones(len(one)), groups)
    count = len(sizes)
    effect = float(differences.mean())
    is_binary = margin == 0 and count == len(one) and _is_binary(one) and _is_binary(other)
    shifted = without_rounding_errors(sums - margin * sizes, float(sizes.max()))
    constant = bool(np.ptp(differences) == 0)
    if constant:
        greater = less = 1.0
    elif is_binary:
        greater, less = mcnemar(int((differences > 0).sum()), int((differences < 0).sum()))
    else:
        greater, less = flip_items(shifted, seed)
    low, high = bootstrap_items(sums, sizes, confidence, resamples, seed)
    spread = (sums - effect * sizes) * count / len(one)
    std = float(np.sqrt((spread**2).sum() / (count - 1))) if count > 1 else float("nan")
    return ItemComparison(
        n=len(one),
        clusters=count,
        seeds=(),
        effect=effect,
        low=low,
        high=high,
        margin=margin,
        p_greater=greater,
        p_less=less,
        minimum_p=2 * 0.5**count if is_binary else minimum_sign_flip_p(count),
        effect_size=float("nan") if constant else standardized(effect - margin, std),
        discordant=int((differences != 0).sum()),
        test="mcnemar" if is_binary else "sign_flip",
        is_constant=constant,
        rare=rare_items(sums / sizes),
    )


def flip_items(values: Array, seed: int) -> tuple[float, float]:
    """Return one-sided p of the mean of `values`, (n,), being greater, and less, than zero.

    Values of zero don't count. Up to 20 others are flipped in all ways; of more 99,999 flips are
    drawn.
    """
    values = values[values != 0]
    if len(values) <= _MAX_EXACT:
        return sign_flips(values, seed)
    values = values / np.abs(values).sum()
    generator = np.random.default_rng(seed)
    sizes, counts = np.unique(np.abs(values), return_counts=True)

    def by_counts(rows: int) -> Array:
        kept: Array = generator.binomial(counts, 0.5, (rows, len(sizes))) @ sizes
        return 2 * kept - 1

    def one_by_one(rows: int) -> Array:
        packed = generator.integers(0, 256, (rows, -(-len(values) // 8)), dtype=np.uint8)
        kept = np.unpackbits(packed, axis=1, count=len(values)).astype(float) @ np.abs(values)
        return np.asarray(2 * kept - 1)

    is_few = len(sizes) <= _FEW
    sums = _in_blocks(
        by_counts if is_few else one_by_one, _DRAWS, len(sizes) if is_few else len(values)
    )
    observed = values.sum()
    greater = (1 + (sums >= observed - 1e-10).sum()) / (_DRAWS + 1)
    less = (1 + (sums <= observed + 1e-10).sum()) / (_DRAWS + 1)
    return float(greater), float(less)


def bootstrap_items(
    sums: Array, sizes: Array, confidence: float, resamples: int, seed: int
) -> tuple[float, float]:
    """Return the interval of the mean over items, whose clusters are drawn with replacement.

    The percentiles are those at which the interval of a normal mean is Student's t (Hesterberg
    2015), since plain ones are too narrow if clusters are few. NaN if there is one cluster, or all
    have the same mean.

    Args:
        sums: the sum of each cluster's values, (g,).
        sizes: the number of items in each cluster, (g,).
        confidence: the confidence level.
        resamples: the number of bootstrap samples.
        seed: seeds them.
    """
    count = len(sums)
    if count < 2 or all_equal(sums / sizes):
        return float("nan"), float("nan")
    pairs, counts = np.unique(np.stack((sums, sizes)), axis=1, return_counts=True)
    generator = np.random.default_rng(seed)

    def by_counts(rows: int) -> Array:
        total, items = pairs @ generator.multinomial(count, counts / count, rows).T
        return np.asarray(total / items)

    def one_by_one(rows: int) -> Array:
        places = generator.integers(0, count, (rows, count))
        return np.asarray(sums[places].sum(axis=1) / sizes[places].sum(axis=1))

    is_few = len(counts) <= _FEW
    drawn = _in_blocks(
        by_counts if is_few else one_by_one, resamples, len(counts) if is_few else count
    )
    share = ndtr(-((count / (count - 1)) ** 0.5) * stdtrit(count - 1, (1 + confidence) / 2))
    low, high = np.quantile(drawn, (share, 1 - share))
    return (float(low), float(high)) if low < high else (float("nan"), float("nan"))


def cluster_sums(values: Array, clusters: Array | None) -> Array:
    """Return the sums of `values`, (..., n), over each cluster, (..., g), in the clusters' order.

    Args:
        values: numbers of each item.
        clusters: numbers of the items' clusters, (n,); None if each item is its own.
    """
    if clusters is None:
        return values
    _, places = np.unique(clusters, return_inverse=True)
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], np.arange(places.max() + 1))
    return np.asarray(np.add.reduceat(values[..., order], starts, axis=-1))


def rare_items(means: Array) -> int:
    """Return how many of the items' or clusters' means, (g,), aren't the commonest one."""
    _, counts = np.unique(
        without_rounding_errors(means, float(np.abs(means).max())), return_counts=True
    )
    return len(means) - int(counts.max())


def _in_blocks(draw: Callable[[int], Array], rows: int, width: int) -> Array:
    """Return the results of `rows` draws of `width` numbers, made in blocks that fit in memory."""
    step = max(1, _BLOCK // width)
    return np.concatenate([draw(min(step, rows - start)) for start in range(0, rows, step)])


def _checked(
    first: Values, second: Values, clusters: Values | None
) -> tuple[Array, Array, Array | None]:
    one, other = finite(first), finite(second)
    groups = None if clusters is None else finite(clusters)
    if len(one) != len(other) or (groups is not None and len(groups) != len(one)):
        raise ResultError(f"{len(one)} items can't be paired with {len(other)}")
    return one, other, groups


def _differences(one: Array, other: Array) -> Array:
    scale = float(np.abs(np.concatenate((one, other))).max())
    return without_rounding_errors(one - other, scale)


def _is_binary(values: Array) -> bool:
    return bool(np.isin(values, (0.0, 1.0)).all())
