"""Estimate the relative change of a mean."""

import numpy as np
from scipy.special import stdtrit

from caduceus.statistics.cross_validation import error_factor
from caduceus.statistics.estimates import Estimate
from caduceus.statistics.samples import Values, finite


def relative_change(
    first: Values,
    second: Values,
    is_paired: bool,
    confidence: float = 0.95,
    folds: int | None = None,
) -> Estimate:
    """Estimate by how many percent the mean of `first` is above that of `second`.

    The interval is Fieller's (Fieller 1954), with Welch's degrees of freedom for unpaired runs. It
    is exact for normally distributed pairs. There is none where the second mean isn't
    distinguishable from zero, or where no value varies, or no ratio of paired ones.

    Args:
        first: one value per run, (n,).
        second: the values that it is compared with, (m,); of the same seeds if paired.
        is_paired: whether value i of both has the same seed.
        confidence: the confidence level of the interval.
        folds: the k of a cross-validation whose folds the runs are, or None.

    Returns:
        An estimate in percent. Its `n` is the smaller number of runs, its `std` is NaN; `low` and
        `high` are NaN without an interval.

    Raises:
        ResultError: there are no values, or one isn't finite.
    """
    one, other = finite(first), finite(second)
    n, a, b = min(len(one), len(other)), float(one.mean()), float(other.mean())
    ratio = a / b if b else float("nan")
    low = high = float("nan")
    if n > 1 and b:
        va, vb = (
            side.var(ddof=1) / len(side) * error_factor(len(side), folds) ** 2
            for side in (one, other)
        )
        shared = float(np.cov(one, other)[0, 1]) if is_paired else 0.0
        covariance = shared / n * error_factor(n, folds) ** 2
        degrees = float(n - 1)
        if not is_paired and va + vb:
            # Welch-Satterthwaite degrees of freedom of the difference one - ratio * other, as the
            # variance of this difference decides the interval.
            parts = np.array([va, ratio**2 * vb])
            degrees = parts.sum() ** 2 / (parts**2 / (len(one) - 1, len(other) - 1)).sum()
        t = float(stdtrit(degrees, (1 + confidence) / 2))
        g = t**2 * vb / b**2
        rest = one - ratio * other if is_paired else np.concatenate((one - a, other - b))
        varies = np.ptp(rest) > 1e-12 * max(np.abs(one).max(), np.abs(other).max())
        if g < 1 and varies:
            # The roots of (a - r b)^2 = t^2 (va - 2 r covariance + r^2 vb).
            middle = a * b - t**2 * covariance
            root = middle**2 - (a**2 - t**2 * va) * (b**2 - t**2 * vb)
            half = max(root, 0.0) ** 0.5
            low, high = ((middle + sign * half) / (b**2 - t**2 * vb) for sign in (-1, 1))
    method = f"relative change of the mean, {100 * confidence:g} % interval by Fieller's method"
    percents = [100 * (each - 1) for each in (ratio, low, high)]
    return Estimate(n, percents[0], float("nan"), percents[1], percents[2], method)
