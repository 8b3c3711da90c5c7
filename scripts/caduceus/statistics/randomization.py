"""Tests that shuffle what chance could have shuffled: exact for any number of runs.

All ways are gone through if they are few, else 9,999 are drawn, and the observed one counts as
drawn too, so that p is never too small (Phipson & Smyth 2010).
"""

from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from caduceus.statistics.samples import Array

DRAWS = 9_999
_MOST_FLIPS = 20  # values whose signs are flipped in all ways: a million
_MOST_SPLITS = 200_000  # ways to split two samples: of ten runs each there are 184,756
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
    signs = np.random.default_rng(seed).integers(0, 2, size=(DRAWS, n)) * 2.0 - 1
    return _shares(signs @ (values / size), values.sum() / size, is_exact=False)


def least_sign_flip_p(n: int) -> float:
    """The least two-sided p that `sign_flips` can give for n values: 2 / 2^n if it is exact."""
    return min(1.0, 2 / 2**n if n <= _MOST_FLIPS else 2 / (DRAWS + 1))


def splits(first: Array, second: Array, seed: int) -> tuple[float, float]:
    """One-sided p of `first` (n,) being greater, and less, than `second` (m,) in the mean.

    Compares Welch's t with that of all ways to split the values into n and m: exact if both are
    distributed alike, and asymptotically right if only their means are the same (Janssen 1997;
    Chung & Romano 2013). Both need two values.
    """
    n, m = len(first), len(second)
    pooled = np.concatenate((first, second))
    pooled = pooled - pooled.mean()
    size = (pooled**2).sum()
    if size <= _TIE**2 * (np.concatenate((first, second)) ** 2).sum():
        return 1.0, 1.0
    is_exact = comb(n + m, n) <= _MOST_SPLITS
    ways = _all_splits(n, m) if is_exact else _drawn_splits(n, m, seed)
    found = _bounded_t(ways, pooled / size**0.5, n)
    return _shares(found if is_exact else found[1:], found[0], is_exact)


def least_split_p(n: int, m: int) -> float:
    """The least two-sided p that `splits` can give: 2 / C(n + m, n) if it is exact."""
    if min(n, m) < 2:
        return 1.0
    ways = comb(n + m, n)
    return 2 / ways if ways <= _MOST_SPLITS else 2 / (DRAWS + 1)


def _shares(found: Array, observed: Any, is_exact: bool) -> tuple[float, float]:
    greater = int((found >= observed - _TIE).sum())
    less = int((found <= observed + _TIE).sum())
    if is_exact:
        return greater / len(found), less / len(found)
    return (greater + 1) / (len(found) + 1), (less + 1) / (len(found) + 1)


@lru_cache(maxsize=2)
def _all_splits(n: int, m: int) -> Array:
    """Rows (ways, n + m) that are 1 for what is in the first part, the given split first."""
    ways = np.zeros((comb(n + m, n), n + m))
    chosen = np.array(list(combinations(range(n + m), n)))
    np.put_along_axis(ways, chosen, 1, axis=1)
    return ways


def _drawn_splits(n: int, m: int, seed: int) -> Array:
    given = np.repeat((1.0, 0.0), (n, m))
    rows = np.tile(given, (DRAWS + 1, 1))
    rows[1:] = np.random.default_rng(seed).permuted(rows[1:], axis=1)
    return rows


def _bounded_t(ways: Array, pooled: Array, n: int) -> Array:
    """t / √(1 + t²) of Welch's t for each of `ways` (ways, n + m): in its order, and finite.

    `pooled` (n + m,) has a sum of 0 and a sum of squares of 1.
    """
    m = len(pooled) - n
    sums, squares = (ways @ np.column_stack((pooled, pooled**2))).T
    of_first = (squares - sums**2 / n) / (n * (n - 1))
    of_second = (1 - squares - sums**2 / m) / (m * (m - 1))
    variance = np.maximum(of_first, 0) + np.maximum(of_second, 0)
    difference = sums * (1 / n + 1 / m)
    bounded: Array = difference / np.sqrt(difference**2 + variance)
    return bounded
