"""Correct p values for the number of comparisons."""

import numpy as np

from caduceus.statistics.samples import Array, Values


def holm(p: Values) -> Array:
    """Return p values, (m,), adjusted for their number by Holm's method (Holm 1979).

    The adjusted values are in the order of `p`. If those of at most alpha are called significant,
    the probability of any false one in the family is at most alpha, however the tests depend on
    each other.
    """
    array = np.asarray(p, dtype=float)
    order = np.argsort(array, kind="stable")
    factors = np.arange(len(array), 0, -1)
    adjusted = np.empty_like(array)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(array[order] * factors))
    return adjusted


def holm_levels(p: Values, alpha: float = 0.05) -> Array:
    """Return for each test the largest p, (m,), that would be significant by Holm's method.

    The p values of the other tests are taken as they are.
    """
    array = np.asarray(p, dtype=float)
    m = len(array)
    levels = np.empty(m)
    for place in range(m):
        rejected = 0
        for other in np.sort(np.delete(array, place)):
            if other > alpha / (m - rejected):
                break
            rejected += 1
        levels[place] = alpha / (m - rejected)
    return levels
