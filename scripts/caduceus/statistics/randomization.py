"""Tests that shuffle what chance could have shuffled: exact for any number of runs.

All ways are gone through if they are few, else 99,999 are drawn, and the observed one counts as
drawn too, so that p is never too small (Phipson & Smyth 2010).
"""

from math import comb
from typing import Any

import numpy as np

from caduceus.statistics.samples import Array, without_noise

_BLOCKS, _BLOCK = 9, 11_111  # what is drawn, in parts that fit into memory
_DRAWS = _BLOCKS * _BLOCK
_MOST_FLIPS = 20  # values whose signs are flipped in all ways: a million
_MOST_SPLITS = 3_000_000  # ways to split two samples: of twelve runs each there are 2,704,156
_TIE = 1e-10  # relative to the greatest possible: closer ones differ by rounding


def sign_flips(values: Array, seed: int) -> tuple[float, float]:
    """One-sided p of `values` (n,) being greater, and less, than zero in the mean.

    Without a difference, and if differences are symmetric, each sign is as likely as the other
    (Fisher 1935, The Design of Experiments, §21).
    """
    size = np.abs(values).sum()
    if not size:
        return 1.0, 1.0
    n = len(values)
    if n <= _MOST_FLIPS:
        sums = np.zeros(1)
        for value in values / size:
            sums = np.concatenate((sums - value, sums + value))
        return _shares(sums, sums[-1], is_exact=True)
    generator = np.random.default_rng(seed)
    drawn = [generator.choice((-1.0, 1.0), (_BLOCK, n)) @ (values / size) for _ in range(_BLOCKS)]
    return _shares(np.concatenate(drawn), values.sum() / size, is_exact=False)


def least_sign_flip_p(n: int) -> float:
    """The least two-sided p that `sign_flips` can give for n values: 2 / 2^n if it is exact."""
    return min(1.0, 2 / 2**n if n <= _MOST_FLIPS else 2 / (_DRAWS + 1))


def splits(first: Array, second: Array, seed: int) -> tuple[float, float]:
    """One-sided p of `first` (n,) being greater, and less, than `second` (m,) in the mean.

    Compares Welch's t with that of all ways to split the values into n and m: exact if both are
    distributed alike, and asymptotically right if only their means are the same (Janssen 1997;
    Chung & Romano 2013). Both need two values.
    """
    n, m = len(first), len(second)
    pooled = np.concatenate((first, second))
    pooled = without_noise(pooled - pooled.mean(), np.abs(pooled).max())
    size = np.sqrt((pooled**2).sum())
    if not size:
        return 1.0, 1.0
    pooled = np.stack((pooled / size, (pooled / size) ** 2))
    observed = _bounded_t(pooled[:, :n].sum(axis=1, keepdims=True), n, m)[0]
    if comb(n + m, n) <= _MOST_SPLITS:
        return _shares(_bounded_t(_subset_sums(pooled, n), n, m), observed, is_exact=True)
    generator = np.random.default_rng(seed)
    block = np.tile(np.repeat((1.0, 0.0), (n, m)), (_BLOCK, 1))
    drawn = [_bounded_t(pooled @ generator.permuted(block, axis=1).T, n, m) for _ in range(_BLOCKS)]
    return _shares(np.concatenate(drawn), observed, is_exact=False)


def least_split_p(n: int, m: int) -> float:
    """The least two-sided p that `splits` can give: 2 / C(n + m, n) if it is exact."""
    if min(n, m) < 2:
        return 1.0
    ways = comb(n + m, n)
    return 2 / ways if ways <= _MOST_SPLITS else 2 / (_DRAWS + 1)


def _shares(found: Array, observed: Any, is_exact: bool) -> tuple[float, float]:
    greater = int((found >= observed - _TIE).sum())
    less = int((found <= observed + _TIE).sum())
    if is_exact:
        return greater / len(found), less / len(found)
    return (greater + 1) / (len(found) + 1), (less + 1) / (len(found) + 1)


def _subset_sums(columns: Array, n: int) -> Array:
    """The sums (2, ways) of all choices of n of `columns` (2, many).

    Each choice is one of k from the first half and one of n - k from the second.
    """
    half = columns.shape[1] // 2
    left, right = _by_size(columns[:, :half]), _by_size(columns[:, half:])
    return np.concatenate(
        [
            (left[k][:, :, None] + right[n - k][:, None, :]).reshape(2, -1)
            for k in range(len(left))
            if 0 <= n - k < len(right)
        ],
        axis=1,
    )


def _by_size(columns: Array) -> list[Array]:
    """The sums (2, choices) of all choices of 0, 1, … of `columns` (2, many)."""
    sums = [np.zeros((2, 1))]
    for column in columns.T[:, :, None]:
        grown = [chosen + column for chosen in sums]
        both = zip(sums[1:], grown[:-1], strict=True)
        sums = [sums[0], *(np.concatenate(pair, axis=1) for pair in both), grown[-1]]
    return sums


def _bounded_t(sums: Array, n: int, m: int) -> Array:
    """Welch's t as t / √(1 + t²): in its order, and finite.

    Args:
        sums: of the n values of the first, and of their squares, (2, ways); those of all n + m
            values are 0 and 1.
        n: how many are in the first.
        m: how many are in the second.
    """
    total, squares = sums
    of_first = (squares - total**2 / n) / (n * (n - 1))
    of_second = (1 - squares - total**2 / m) / (m * (m - 1))
    variance = np.maximum(of_first, 0) + np.maximum(of_second, 0)
    difference = total * (1 / n + 1 / m)
    bounded: Array = difference / np.sqrt(difference**2 + variance)
    return bounded
