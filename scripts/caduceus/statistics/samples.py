"""What every statistic here starts from: finite values, and their ranks."""

from collections.abc import Sequence
from typing import Any, TypeAlias

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


def without_noise(values: Array) -> Array:
    """`values` (n,), those that differ by rounding errors made equal; for ranks and ties."""
    scale: Any = np.abs(values).max()
    return np.round(values / scale, 10) * scale if scale else values
