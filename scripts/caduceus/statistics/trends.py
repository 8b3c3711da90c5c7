"""Test whether a result rises or falls with a setting."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from caduceus.errors import ResultError
from caduceus.statistics.estimates import estimate_mean
from caduceus.statistics.randomization import minimum_sign_flip_p, sign_flips
from caduceus.statistics.samples import Array, Values, finite, midranks


@dataclass(frozen=True)
class Trend:
    """The trend of a result over the levels of a setting.

    Attributes:
        n: the number of seeds with at least two levels.
        correlation: Spearman's rank correlation, from -1 to 1, averaged over the seeds.
        low: the lower end of its interval by Student's t, at least -1; NaN if n is 1.
        high: its upper end, at most 1.
        std: the standard deviation of the seeds' correlations.
        p_greater: one-sided p of a rising trend.
        p_less: one-sided p of a falling trend.
        p: two-sided p, twice the smaller of these.
        minimum_p: the smallest two-sided p that this number of seeds can give.
    """

    n: int
    correlation: float
    low: float
    high: float
    std: float
    p_greater: float
    p_less: float
    p: float
    minimum_p: float


def trend(values: Any, levels: Values, confidence: float = 0.95, seed: int = 0) -> Trend:
    """Test whether values rise or fall with the levels of a setting.

    Each seed gives one Spearman correlation over its levels (Spearman 1904), 0 if its values are
    all equal. The test flips the signs of the seeds' correlations (Fisher 1935), so that the values
    of one seed may depend on each other in any way.

    Args:
        values: (seeds, levels), NaN where a run is missing.
        levels: (levels,), in any order.
        confidence: the confidence level of the interval.
        seed: seeds the random signs, which are drawn if there are more than 20 seeds.

    Raises:
        ResultError: the shapes don't fit, a value is infinite, or no seed has two levels.
    """
    array, setting = np.asarray(values, dtype=float), finite(levels)
    if array.ndim != 2 or array.shape[1] != len(setting):
        raise ResultError(f"values must be (seeds, {len(setting)}), got shape {array.shape}")
    rows = [(row[~np.isnan(row)], setting[~np.isnan(row)]) for row in array]
    correlations = np.array([_spearman(finite(y), x) for y, x in rows if len(np.unique(x)) > 1])
    if not len(correlations):
        raise ResultError("a trend needs a seed with at least two levels")
    mean = estimate_mean(correlations, confidence)
    greater, less = sign_flips(correlations, seed)
    return Trend(
        n=mean.n,
        correlation=mean.value,
        low=max(mean.low, -1.0) if mean.n > 1 else mean.low,
        high=min(mean.high, 1.0) if mean.n > 1 else mean.high,
        std=mean.std,
        p_greater=greater,
        p_less=less,
        p=min(1.0, 2 * min(greater, less)),
        minimum_p=minimum_sign_flip_p(mean.n),
    )


def _spearman(values: Array, levels: Array) -> float:
    """Return Spearman's rank correlation of two arrays (n,); 0 if one of them is constant."""
    one, other = midranks(values), midranks(levels)
    one, other = one - one.mean(), other - other.mean()
    size = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / size) if size else 0.0
