"""Randomization tests: sign flips for paired runs, permutations for unpaired ones.

The statistic of the data is compared with its values under all rearrangements that are equally
likely under the null hypothesis. Up to a limit all of them are computed, and p is exact. Beyond it
99,999 are drawn at random; the observed one is counted with them, so that p isn't too small
(Phipson & Smyth 2010).
"""

from math import comb
from typing import Any

import numpy as np

from caduceus.statistics.samples import Array, without_rounding_errors

_BLOCKS, _BLOCK = 9, 11_111  # random draws are made in blocks, which fit into memory
_DRAWS = _BLOCKS * _BLOCK
_MAX_FLIPPED = 20  # up to so many values all ways to flip signs are computed: 2^20, a million
_MAX_SPLITS = 3_000_000  # ways to split two samples; two of twelve runs have 2,704,156
_TIE = 1e-10  # statistics that differ less, relative to the largest possible, differ by rounding


def sign_flips(values: Array, seed: int) -> tuple[float, float]:
    """Return one-sided p of the mean of `values`, (n,), being greater, and less, than zero.

    If the differences are distributed symmetrically about zero, both signs of each are equally
    likely (Fisher 1935, The Design of Experiments, §21).
    """
    size = np.abs(values).sum()
    if not size:
        return 1.0, 1.0
    n = len(values)
    if n <= _MAX_FLIPPED:
        # All 2^n signed sums, doubled value by value; the last one has no sign flipped.
        sums = np.zeros(1)
        for value in values / size:
            sums = np.concatenate((sums - value, sums + value))
        return _p_values(sums, sums[-1], is_exact=True)
    generator = np.random.default_rng(seed)
    drawn = [generator.choice((-1.0, 1.0), (_BLOCK, n)) @ (values / size) for _ in range(_BLOCKS)]
    return _p_values(np.concatenate(drawn), values.sum() / size, is_exact=False)


def joint_sign_flips(values: Array, seed: int) -> tuple[float, float]:
    """Return p of the largest mean of the columns being greater, and the smallest less, than zero.

    The columns of `values`, (n, m), are divided by the root of their sum of squares. The signs of
    each row are flipped together, so that columns may depend on each other in any way, and each
    flip's largest, or smallest, sum is compared with the observed one (Westfall & Young 1993).
    Columns of zeros are left out.
    """
    sizes = np.sqrt((values**2).sum(axis=0))
    if not sizes.any():
        return 1.0, 1.0
    scaled = values[:, sizes > 0] / sizes[sizes > 0]
    n = len(scaled)
    observed = scaled.sum(axis=0)
    if n <= _MAX_FLIPPED:
        sums = np.zeros((1, scaled.shape[1]))
        for row in scaled:
            sums = np.concatenate((sums - row, sums + row))
    else:
        generator = np.random.default_rng(seed)
        drawn = [generator.choice((-1.0, 1.0), (_BLOCK, n)) @ scaled for _ in range(_BLOCKS)]
        sums = np.concatenate(drawn)
    is_exact = n <= _MAX_FLIPPED
    greater, _ = _p_values(sums.max(axis=1), observed.max(), is_exact)
    _, less = _p_values(sums.min(axis=1), observed.min(), is_exact)
    return greater, less


def minimum_sign_flip_p(n: int) -> float:
    """Return the smallest two-sided p that `sign_flips` can give for n values."""
    return min(1.0, 2 / 2**n if n <= _MAX_FLIPPED else 2 / (_DRAWS + 1))


def splits(first: Array, second: Array, seed: int) -> tuple[float, float]:
    """Return one-sided p of the mean of `first` being greater, and less, than that of `second`.

    Welch's t is compared with its values for all ways to split the pooled values into n and m. The
    test is exact if both distributions are equal, and asymptotically valid if only their means are
    (Janssen 1997; Chung & Romano 2013); of few runs it isn't then, see workflow/STATISTICS.md.

    Args:
        first: (n,), n at least 2.
        second: (m,), m at least 2.
        seed: seeds the random draws.
    """
    n, m = len(first), len(second)
    pooled = np.concatenate((first, second))
    pooled = without_rounding_errors(pooled - pooled.mean(), np.abs(pooled).max())
    size = np.sqrt((pooled**2).sum())
    if not size:
        return 1.0, 1.0
    # Scaled so that the pooled values have the sum 0 and the sum of squares 1: then the sums over
    # one side determine those over the other, and with them t; see `_bounded_t`.
    pooled = np.stack((pooled / size, (pooled / size) ** 2))
    observed = _bounded_t(pooled[:, :n].sum(axis=1, keepdims=True), n, m)[0]
    if comb(n + m, n) <= _MAX_SPLITS:
        return _p_values(_bounded_t(_subset_sums(pooled, n), n, m), observed, is_exact=True)
    generator = np.random.default_rng(seed)
    block = np.tile(np.repeat((1.0, 0.0), (n, m)), (_BLOCK, 1))
    drawn = [_bounded_t(pooled @ generator.permuted(block, axis=1).T, n, m) for _ in range(_BLOCKS)]
    return _p_values(np.concatenate(drawn), observed, is_exact=False)


def minimum_split_p(n: int, m: int) -> float:
    """Return the smallest two-sided p that `splits` can give for n and m values."""
    if min(n, m) < 2:
        return 1.0
    ways = comb(n + m, n)
    return 2 / ways if ways <= _MAX_SPLITS else 2 / (_DRAWS + 1)


def _p_values(statistics: Array, observed: Any, is_exact: bool) -> tuple[float, float]:
    """Return the fractions of statistics that are at least, and at most, the observed one.

    Unless they are exact, the observed one is counted too (Phipson & Smyth 2010).
    """
    greater = int((statistics >= observed - _TIE).sum())
    less = int((statistics <= observed + _TIE).sum())
    if is_exact:
        return greater / len(statistics), less / len(statistics)
    return (greater + 1) / (len(statistics) + 1), (less + 1) / (len(statistics) + 1)


def _subset_sums(columns: Array, n: int) -> Array:
    """Return the sums, (2, ways), over every choice of n of the columns, (2, many).

    A choice of n is a choice of k from the first half with one of n - k from the second. Adding the
    sums of both takes one addition per choice, where summing each one takes n, and only numpy
    loops over the choices.
    """
    half = columns.shape[1] // 2
    left, right = _sums_by_count(columns[:, :half]), _sums_by_count(columns[:, half:])
    return np.concatenate(
        [
            (left[k][:, :, None] + right[n - k][:, None, :]).reshape(2, -1)
            for k in range(len(left))
            if 0 <= n - k < len(right)
        ],
        axis=1,
    )


def _sums_by_count(columns: Array) -> list[Array]:
    """Return the sums, (2, choices), over every choice of 0, 1, ... of the columns, (2, many)."""
    sums = [np.zeros((2, 1))]
    for column in columns.T[:, :, None]:
        # Choices of k columns are those without this column, and those of k - 1 with it.
        with_column = [chosen + column for chosen in sums]
        both = zip(sums[1:], with_column[:-1], strict=True)
        sums = [sums[0], *(np.concatenate(pair, axis=1) for pair in both), with_column[-1]]
    return sums


def _bounded_t(sums: Array, n: int, m: int) -> Array:
    """Return Welch's t as t / √(1 + t²), which has the same order and is finite without variance.

    Args:
        sums: the sum of the n values of the first side, and of their squares, (2, ways); over all
            n + m values these are 0 and 1.
        n: the number of values in the first side.
        m: the number of values in the second side.

    Returns:
        An array (ways,).
    """
    total, squares = sums
    first_variance = (squares - total**2 / n) / (n * (n - 1))  # of the mean
    second_variance = (1 - squares - total**2 / m) / (m * (m - 1))
    variance = np.maximum(first_variance, 0) + np.maximum(second_variance, 0)
    difference = total * (1 / n + 1 / m)
    bounded: Array = difference / np.sqrt(difference**2 + variance)
    return bounded
