"""Bootstrap-t intervals of the mean of skewed values (Efron & Tibshirani 1993, section 12.5)."""

from functools import cache
from itertools import combinations
from math import comb, factorial, prod

import numpy as np

from caduceus.statistics.samples import Array

LEAST_N = 5  # of fewer values, too many resamples are one value drawn n times
_LEAST_VARIANCE = 1e-14  # in squared ranges of the values: less comes from rounding errors


def is_enumerated(n: int, resamples: int) -> bool:
    """Whether n values have so few different resamples that all of them count."""
    return comb(2 * n - 1, n) <= resamples


def bootstrap_t_interval(
    values: Array, confidence: float, resamples: int, seed: int
) -> tuple[Array, Array]:
    """Return the lower and upper ends, (...), of bootstrap-t intervals of means of `values`.

    Each resample has a t, the distance of its mean from that of the values in its own standard
    errors. The quantiles of t replace those of Student's t, so that an interval of skewed values
    reaches further to the side of their tail. Where t is infinite at a quantile, as too many
    resamples are one value drawn n times, and for n below 5, both ends are NaN.

    Args:
        values: (..., n), not all equal.
        confidence: the confidence level.
        resamples: the number of resamples that are drawn. If no more than these are different, all
            count with their probabilities in place of drawn ones: with 10,000, for n up to 8.
        seed: seeds the draws.
    """
    n = values.shape[-1]
    if n < LEAST_N:
        none = np.full(values.shape[:-1], np.nan)
        return none, none
    if is_enumerated(n, resamples):
        counts, weights = _all_resamples(n)
    else:
        drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), resamples)
        counts = drawn.astype(float)
        weights = np.full(resamples, 1 / resamples)
    mean, spread = values.mean(axis=-1), np.ptp(values, axis=-1)
    scaled = (values - mean[..., None]) / spread[..., None]
    means, squares = _mean_of_resamples(scaled, counts), _mean_of_resamples(scaled**2, counts)
    variances = squares - means**2
    # The factor of the standard errors, 1 / sqrt(n - 1), cancels between resamples and values.
    varies, differs = variances > _LEAST_VARIANCE, np.abs(means) > _LEAST_VARIANCE
    infinite = np.where(differs, np.copysign(np.inf, means), 0.0)
    t = np.where(varies, means / np.sqrt(np.where(varies, variances, 1.0)), infinite)
    order = np.argsort(t, axis=-1, kind="stable")
    ordered, below = np.take_along_axis(t, order, -1), np.cumsum(weights[order], axis=-1)
    tail = (1 - confidence) / 2
    # No more than `tail` lies below the lower quantile, and no more above the upper one.
    least = np.argmax(below > tail + 1e-12, axis=-1)
    greatest = np.argmax(below >= 1 - tail - 1e-12, axis=-1)
    lower, upper = (
        np.take_along_axis(ordered, place[..., None], -1)[..., 0] for place in (least, greatest)
    )
    error = np.sqrt((scaled**2).mean(axis=-1)) * spread
    error = np.where(np.isfinite(lower) & np.isfinite(upper), error, np.nan)
    with np.errstate(invalid="ignore"):
        return mean - upper * error, mean - lower * error


def _mean_of_resamples(values: Array, counts: Array) -> Array:
    """Return the mean, (..., m), of each resample of `values`, (..., n).

    Not by a matrix product, whose last digits differ from process to process.
    """
    mean: Array = np.zeros((*values.shape[:-1], len(counts)))
    for place in range(values.shape[-1]):
        mean += values[..., place, None] * counts[:, place] / values.shape[-1]
    return mean


@cache
def _all_resamples(n: int) -> tuple[Array, Array]:
    """Return how often each different resample has each of n values, (m, n), and its probability.

    A resample is n draws in any order: n stars between n - 1 bars, which lie at 2n - 1 places.
    """
    bars = np.array(list(combinations(range(2 * n - 1), n - 1)))
    edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, 2 * n - 1)))
    counts = np.diff(edges, axis=1) - 1
    ways = [factorial(n) / prod(factorial(count) for count in row) for row in counts.tolist()]
    return counts.astype(float), np.array(ways) / n**n
