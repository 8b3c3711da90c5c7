"""Correction for the number of comparisons."""

import numpy as np

from caduceus.statistics.samples import Array, Values


def holm(p: Values) -> Array:
    """`p` (m,) adjusted for their number, in their order (Holm 1979).

    Calling significant what is at most alpha then errs in any of the family with a probability of
    at most alpha, however the tests depend on each other.
    """
    array = np.asarray(p, dtype=float)
    order = np.argsort(array, kind="stable")
    factors = np.arange(len(array), 0, -1)
    adjusted = np.empty_like(array)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(array[order] * factors))
    return adjusted


def holm_levels(p: Values, alpha: float = 0.05) -> Array:
    """The greatest p (m,) with which each test would be significant, the others as they are."""
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
