"""Statistics of runs: arrays in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit


@dataclass(frozen=True)
class Estimate:
    """A mean over n runs with its 95 % interval; `low` and `high` are NaN if n is 1."""

    n: int
    mean: float
    std: float
    low: float
    high: float


def estimate_mean(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """The mean of `values` (n,) and its interval by Student's t with n - 1 degrees of freedom.

    The interval is exact if the values are independent and normal. `std` is the sample standard
    deviation, with n - 1 in the denominator.
    """
    array = np.asarray(values, dtype=float)
    n = len(array)
    mean = float(array.mean())
    if n < 2:
        return Estimate(n, mean, float("nan"), float("nan"), float("nan"))
    std = float(array.std(ddof=1))
    margin = float(stdtrit(n - 1, (1 + confidence) / 2)) * std / n**0.5
    return Estimate(n, mean, std, mean - margin, mean + margin)


def outlier_limit(values: Sequence[float]) -> float:
    """The greatest of finite `values` (n,) that isn't an outlier among the large ones.

    Outliers lie more than three interquartile ranges above the upper quartile (Tukey 1977, "far
    out"). They are at most a tenth of the values: more would be a group of their own.
    """
    array = np.sort(np.asarray(values, dtype=float))
    lower, upper = np.quantile(array, (0.25, 0.75))
    fence = max(upper + 3 * (upper - lower), np.quantile(array, 0.9, method="lower"))
    return float(array[array <= fence][-1])
