"""Compare runs with a published mean, which is uncertain too."""

from dataclasses import dataclass
from math import inf, nan
from typing import Self

from scipy.special import ndtri, stdtr, stdtrit

from caduceus.statistics.comparisons import Comparison
from caduceus.statistics.estimates import Estimate, estimate_mean
from caduceus.statistics.samples import Values, all_equal, finite, standardized


@dataclass(frozen=True)
class PublishedMean:
    """A mean over the runs of others, of which only a summary is known.

    Attributes:
        value: the mean.
        error: its standard error; None if only `n` is known, so that the runs are taken to vary as
            ours do.
        n: the number of runs; None if it isn't known, so that the error is taken as exact.
    """

    value: float
    error: float | None
    n: int | None

    @classmethod
    def of_std(cls, value: float, std: float, n: int) -> Self:
        """Return the mean of n runs with this sample standard deviation."""
        return cls(value, std / n**0.5, n)

    @classmethod
    def of_interval(
        cls, value: float, low: float, high: float, confidence: float = 0.95, n: int | None = None
    ) -> Self:
        """Return the mean that has this interval: by Student's t if n is known, else normal."""
        share = (1 + confidence) / 2
        quantile = stdtrit(n - 1, share) if n and n > 1 else ndtri(share)
        return cls(value, float((high - low) / 2 / quantile), n)


def compare_to_published(
    values: Values,
    published: PublishedMean,
    margin: float = 0.0,
    confidence: float = 0.95,
    folds: int | None = None,
) -> Comparison:
    """Compare the mean of `values`, (n,), with a published one by Welch's t-test (Welch 1947).

    The standard errors of both means are combined. The test is exact if all runs are normally
    distributed with equal variances and the published error isn't known, and nearly so if it is.
    With a single value, or if all are equal, p is 1.

    Args:
        values: one per run, (n,).
        published: the other mean.
        margin: the difference of the means under the null hypothesis.
        confidence: the confidence level of the effect's interval.
        folds: the k of a cross-validation whose folds our values are, or None.

    Raises:
        ResultError: there are no values, or one isn't finite.
    """
    array = finite(values)
    ours, is_equal = estimate_mean(array, confidence, folds), all_equal(array)
    effect = ours.value - published.value
    error, degrees = _combined(ours, published)
    greater = less = 1.0
    low = high = nan
    if error > 0 and not is_equal:
        t = (effect - margin) / error
        greater, less = (float(stdtr(degrees, sign * t)) for sign in (-1, 1))
        half = float(stdtrit(degrees, (1 + confidence) / 2)) * error
        low, high = effect - half, effect + half
    return Comparison(
        n=ours.n,
        n_second=published.n or 0,
        effect=effect,
        low=low,
        high=high,
        std=ours.std,
        margin=margin,
        p_greater=greater,
        p_less=less,
        p=min(1.0, 2 * min(greater, less)),
        minimum_p=0.0 if error > 0 else 1.0,
        effect_size=nan if is_equal else standardized(effect, ours.std),
        improvement=nan,
        test="welch",
        is_paired=False,
        equal=("first",) if is_equal else (),
    )


def _combined(ours: Estimate, published: PublishedMean) -> tuple[float, float]:
    """Return the standard error of the difference, and its degrees of freedom; NaN if n is 1."""
    n, error = ours.n, ours.standard_error
    if n == 1:
        return nan, nan
    if published.error is None:
        return (error**2 + ours.std**2 / (published.n or inf)) ** 0.5, n - 1
    parts, degrees = (error**2, published.error**2), (n - 1, (published.n or inf) - 1)
    rates = sum(part**2 / free for part, free in zip(parts, degrees, strict=True) if free > 0)
    return sum(parts) ** 0.5, sum(parts) ** 2 / rates if rates else inf
