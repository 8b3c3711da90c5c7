"""What every statistic here starts from: finite values, and their ranks."""

from collections.abc import Sequence
from math import ceil, log10
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from caduceus.errors import ResultError

Array: TypeAlias = NDArray[np.float64]
Values: TypeAlias = Sequence[float] | Array


def finite(values: Values) -> Array:
    """`values` (n,) as an array.

    Raises:
        ResultError: there is none, or one isn't finite, which would make any test lie.
    """
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or not len(array):
        raise ResultError(f"statistics need values (n,), got an array of shape {array.shape}")
    if not np.isfinite(array).all():
        worst = array[~np.isfinite(array)][0]
        raise ResultError(f"statistics need finite values, found {worst}: leave that run out")
    return array


def midranks(values: Array) -> Array:
    """The ranks 1 to n of `values` (n,); equal ones share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


def without_noise(values: Array, scale: float) -> Array:
    """`values` (n,) that come from numbers up to `scale`, rid of what their rounding left.

    So 0.93 - 0.91 is 0.02, and ties are ties. What is below 1e-200 is nothing.
    """
    digits = 14 - ceil(log10(max(scale, 1e-200)))
    return np.round(values, digits)


def standardized(distance: float, std: float) -> float:
    """`distance` in standard deviations; ±inf if there is a distance, and nothing varies."""
    if std > 1e-12 * abs(distance) or np.isnan(std):
        return distance / std
    return float(np.copysign(np.inf, distance)) if distance else 0.0
