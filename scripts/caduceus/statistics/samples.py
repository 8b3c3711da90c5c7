"""Prepare samples for statistics: check values, rank them, remove rounding errors."""

from collections.abc import Sequence
from math import ceil, log10
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from caduceus.errors import ResultError

Array: TypeAlias = NDArray[np.float64]
Values: TypeAlias = Sequence[float] | Array


def finite(values: Values) -> Array:
    """Return `values` as an array (n,).

    Raises:
        ResultError: there are no values, or one isn't finite, with which no test is valid.
    """
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or not len(array):
        raise ResultError(f"statistics need values (n,), got an array of shape {array.shape}")
    if not np.isfinite(array).all():
        worst = array[~np.isfinite(array)][0]
        raise ResultError(f"statistics need finite values, found {worst}: leave that run out")
    return array


def all_equal(values: Array) -> bool:
    """Whether there are several values, (n,), and all are equal but for rounding errors.

    They then show nothing about how runs vary: the program may ignore its seed, or use no chance.
    """
    return len(values) > 1 and bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


def midranks(values: Array) -> Array:
    """Return the ranks, 1 to n, of `values`, (n,); equal values get the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


def without_rounding_errors(values: Array, scale: float) -> Array:
    """Return `values`, (n,), rounded to 14 digits of `scale`.

    `values` are differences of numbers up to `scale`. In floating point 0.93 - 0.91 isn't exactly
    0.02, so that equal differences would not be ties. A scale below 1e-200 counts as 1e-200.
    """
    digits = 14 - ceil(log10(max(scale, 1e-200)))
    return np.round(values, digits)


def is_close(first: float, second: float) -> bool:
    """Whether two numbers differ by rounding errors at most."""
    return abs(first - second) <= 1e-12 * max(abs(first), abs(second))


def standardized(distance: float, std: float) -> float:
    """Return `distance` in standard deviations; ±inf if `std` is zero but the distance isn't."""
    if std > 1e-12 * abs(distance) or np.isnan(std):
        return distance / std
    return float(np.copysign(np.inf, distance)) if distance else 0.0
