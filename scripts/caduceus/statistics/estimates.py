"""Estimate means, medians and interquartile means over runs, with confidence intervals.

scipy is imported by the functions that use it: 0.2 s of CPU, and a figure is drawn without it.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from caduceus.errors import SpecError
from caduceus.statistics.cross_validation import error_factor
from caduceus.statistics.samples import Array, Values, all_equal, finite, is_close
from caduceus.statistics.settings import Interval, Methods, Statistic
from caduceus.statistics.studentized import bootstrap_t_interval

_TITLES = {"mean": "mean", "median": "median", "iqm": "interquartile mean"}
_METHODS = {
    "t": "Student's t",
    "corrected": "corrected Student's t",
    "order": "order statistics",
    "bca": "BCa bootstrap",
    "bootstrap": "percentile bootstrap",
    "bootstrap-t": "bootstrap-t",
}


@dataclass(frozen=True)
class Estimate:
    """A statistic of n runs, with its confidence interval; all in the unit of the values.

    Attributes:
        n: the number of runs.
        value: the statistic.
        std: the sample standard deviation of the runs, with n - 1 in the denominator; NaN if n is
            1. It measures the spread of the runs, which doesn't shrink with n.
        low: the lower end of the interval; NaN if there is none, as n is 1 or all runs are equal.
        high: its upper end.
        method: the statistic and its interval, such as "mean, 95 % interval by Student's t".
        folds: the k of a cross-validation whose folds the runs are; None for independent runs.
    """

    n: int
    value: float
    std: float
    low: float
    high: float
    method: str
    folds: int | None = None

    @property
    def standard_error(self) -> float:
        """The standard error of the mean: `std` / √n, which shrinks with n; of folds corrected."""
        return float(self.std / self.n**0.5 * error_factor(self.n, self.folds))


def estimate_mean(values: Values, confidence: float = 0.95, folds: int | None = None) -> Estimate:
    """Estimate the mean of `values`, (n,), with Student's t interval of n - 1 degrees of freedom.

    The interval is exact if the values are independent and normally distributed (Student 1908).
    Equal values have no interval, as they don't show how runs vary. Values aren't checked: an empty
    or non-finite array gives NaN. If the values are of folds, the interval is wider (see
    `cross_validation`).
    """
    array = np.asarray(values, dtype=float)
    n, mean, std, margin = len(array), float(array.mean()), float("nan"), float("nan")
    if all_equal(array):
        std = 0.0
    elif n > 1:
        from scipy.special import stdtrit

        std = float(array.std(ddof=1))
        error = std / n**0.5 * error_factor(n, folds)
        margin = float(stdtrit(n - 1, (1 + confidence) / 2)) * error
    method = _method("mean", "t" if folds is None else "corrected", confidence)
    return Estimate(n, mean, std, mean - margin, mean + margin, method, folds)


def estimate(
    values: Values,
    statistic: Statistic = "mean",
    interval: Interval | None = None,
    confidence: float = 0.95,
    resamples: int = 9_999,
    seed: int = 0,
) -> Estimate:
    """Estimate a statistic of `values` with its confidence interval.

    The interquartile mean leaves out the n // 4 smallest and the n // 4 largest values, as rliable
    does (Agarwal et al. 2021); for n below 4 it is the mean. A single value, and values that are
    all equal, have no interval; nor is there one that ties reduce to a point.

    Args:
        values: one per run, (n,), in any order.
        statistic: "mean", "median" or "iqm".
        interval: the kind of interval; by default "order" for a median of enough runs, else "t",
            which have the best coverage.

            - "t": Student's t; for the IQM with the winsorized variance (Tukey & McLaughlin 1963),
              for the median with the variance that it has under a normal distribution; both widened
              where runs have few values (see `t_interval`).
            - "order": two of the values, which enclose the median of any distribution (Thompson
              1936); for 95 % from six runs on.
            - "bca": the bias-corrected and accelerated bootstrap (Efron 1987), or the percentile
              bootstrap where BCa isn't defined, as leaving out a value never changes the statistic.
            - "bootstrap": the percentile bootstrap (Efron 1979).
            - "bootstrap-t": of a mean, from five runs on, for skewed runs (see
              `bootstrap_t_interval`). There is none where ties leave too few different resamples.
        confidence: the confidence level of the interval.
        resamples: the number of bootstrap samples.
        seed: seeds the bootstrap.

    Raises:
        ResultError: there are no values, or one isn't finite.
        SpecError: the interval isn't defined for the statistic, or for so few runs.
    """
    array = np.sort(finite(values))
    chosen = interval or best_interval(statistic, len(array), confidence)
    if len(array) == 1 or all_equal(array):
        low = high = np.nan
    else:
        low, high = interval_of(array, statistic, chosen, confidence, resamples, seed)
        if is_close(low, high):
            low = high = np.nan
    return _estimate(array, statistic, low, high, chosen, confidence)


def estimate_by(methods: Methods, values: Values) -> Estimate:
    """Return the estimate of a statistic by the chosen methods; see `estimate`.

    Args:
        methods: the statistic, its interval, the confidence and the resamples of a bootstrap; with
            `folds` it is the mean.
        values: (n,), as for `estimate`.
    """
    if methods.folds is not None:
        return estimate_mean(finite(values), methods.confidence, methods.folds)
    return estimate(
        values, methods.statistic, methods.interval, methods.confidence, methods.resamples
    )


def interval_of(
    values: Array,
    statistic: Statistic,
    interval: Interval,
    confidence: float,
    resamples: int,
    seed: int,
) -> Sequence[Any]:
    """Return the lower and upper ends, (...), of the intervals of `values`, (..., n).

    See `estimate` for the kinds. n is at least 2. A bootstrap gives NaN where all values are equal.

    Raises:
        SpecError: the interval isn't defined for the statistic, or for so few values.
    """
    if interval == "t":
        return t_interval(values, statistic, confidence)
    if interval == "order":
        return order_interval(values, statistic, confidence)
    if interval == "bootstrap-t":
        if statistic != "mean":
            raise SpecError(f"bootstrap-t is an interval of the mean, not of the {statistic}")
        return bootstrap_t_interval(values, confidence, resamples, seed)
    return bootstrap_interval(values, statistic, interval, confidence, resamples, seed)


def t_interval(values: Array, statistic: Statistic, confidence: float) -> tuple[Any, Any]:
    """Return the lower and upper ends, (...), of Student's t intervals of `values`, (..., n).

    Of the mean (Student 1908), the interquartile mean (Tukey & McLaughlin 1963), or the median,
    whose standard error is √(π/2) times that of the mean if the runs are normally distributed.
    Where runs have few values, at most n / 2 + 1, as accuracies on a small test set do, the
    winsorized ones may all be equal though runs vary. The values then count as rounded to multiples
    of their smallest gap h, with a variance of h²/12 (Sheppard 1898). It is added to that of the
    median, and divided by the number of values that are averaged to that of the IQM.
    """
    from scipy.special import stdtrit

    n = used = values.shape[-1]
    if statistic == "iqm":
        # A trimmed mean: its standard error follows from the winsorized values, where the trimmed
        # ones are replaced by the nearest that are used; degrees of freedom are those used less 1.
        used -= 2 * (n // 4)
        ordered = np.sort(values, axis=-1)
        ends = ordered[..., [n // 4]], ordered[..., [n - 1 - n // 4]]
        values, winsorized = ordered, np.clip(ordered, *ends)
        error = np.sqrt(winsorized.var(axis=-1) * n / (used * (used - 1)))
    else:
        error = values.std(axis=-1, ddof=1) / n**0.5
        if statistic == "median":
            error = error * (np.pi / 2) ** 0.5
    if statistic != "mean":
        averaged = used if statistic == "iqm" else 1
        error = np.sqrt(error**2 + _rounding_variance(values) / averaged)
    margin = stdtrit(used - 1, (1 + confidence) / 2) * error
    value = STATISTICS[statistic](values)
    return value - margin, value + margin


def _rounding_variance(values: Array) -> Any:
    """Return h²/12, (...), of the smallest gap h of `values`, (..., n); 0 if they aren't few."""
    gaps = np.diff(np.sort(values, axis=-1), axis=-1)
    is_tie = gaps <= 1e-12 * np.abs(values).max(axis=-1, keepdims=True)
    smallest = np.where(is_tie, np.inf, gaps).min(axis=-1)
    distinct = 1 + (~is_tie).sum(axis=-1)
    n = values.shape[-1]
    are_few = (distinct > 1) & (distinct < n) & (distinct <= n / 2 + 1)
    return np.where(are_few, smallest, 0.0) ** 2 / 12


def order_interval(values: Array, statistic: Statistic, confidence: float) -> tuple[Any, Any]:
    """Return the lower and upper ends, (...), of intervals of the median of `values`, (..., n).

    They are two of the values themselves (Thompson 1936).

    Raises:
        SpecError: the statistic isn't the median, or there are too few values.
    """
    n = values.shape[-1]
    rank = _lower_rank(n, confidence)
    if statistic != "median" or not rank:
        raise SpecError(f"order statistics give no interval of the {statistic} of {n} runs: use t")
    ordered = np.sort(values, axis=-1)
    return ordered[..., rank - 1], ordered[..., n - rank]


def _lower_rank(n: int, confidence: float) -> int:
    """Return the rank, from 1, of the lower end of the median's interval; 0 if there is none.

    The number of values below the median is binomial with p = 1/2. The interval from the k-th
    smallest to the k-th largest value misses the median with twice the probability of fewer than k.
    """
    from scipy.special import bdtr

    return int((2 * bdtr(np.arange(n // 2), n, 0.5) <= 1 - confidence).sum())


def best_interval(statistic: Statistic, n: int, confidence: float) -> Interval:
    """Return the interval with the best coverage for few runs; see workflow/STATISTICS.md."""
    return "order" if statistic == "median" and _lower_rank(n, confidence) else "t"


def bootstrap_interval(
    values: Array,
    statistic: Statistic,
    method: Literal["bca", "bootstrap"],
    confidence: float,
    resamples: int,
    seed: int,
) -> Sequence[Any]:
    """Return the lower and upper ends, (...), of bootstrap intervals of `values`, (..., n)."""
    from scipy.stats import DegenerateDataWarning, bootstrap  # the import takes half a second

    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)
        result = bootstrap(
            (values,),
            STATISTICS[statistic],
            axis=-1,
            confidence_level=confidence,
            n_resamples=resamples,
            method="BCa" if method == "bca" else "percentile",
            rng=np.random.default_rng(seed),
        )
    ends = result.confidence_interval
    if method == "bootstrap":
        return list(ends)
    # BCa is NaN where its acceleration is 0/0: leaving out a value never changes the statistic.
    percentiles = np.quantile(
        result.bootstrap_distribution, ((1 - confidence) / 2, (1 + confidence) / 2), axis=-1
    )
    return [np.where(np.isnan(end), p, end) for end, p in zip(ends, percentiles, strict=True)]


def iqm(values: Array, axis: int = -1) -> Any:
    """Return the mean along `axis` without the n // 4 smallest and the n // 4 largest values."""
    ordered = np.moveaxis(np.sort(values, axis=axis), axis, -1)
    n = ordered.shape[-1]
    return ordered[..., n // 4 : n - n // 4].mean(axis=-1)


def _mean(values: Array, axis: int = -1) -> Any:
    return values.mean(axis=axis)


def _median(values: Array, axis: int = -1) -> Any:
    return np.median(values, axis=axis)


STATISTICS: dict[Statistic, Callable[..., Any]] = {"mean": _mean, "median": _median, "iqm": iqm}


def _estimate(
    array: Array, statistic: Statistic, low: Any, high: Any, interval: Interval, confidence: float
) -> Estimate:
    n = len(array)
    std = float(array.std(ddof=1)) if n > 1 else float("nan")
    if all_equal(array):
        std = 0.0
    value = float(STATISTICS[statistic](array))
    method = _method(statistic, interval, confidence)
    return Estimate(n, value, std, float(low), float(high), method)


def _method(
    statistic: Statistic, interval: Interval | Literal["corrected"], confidence: float
) -> str:
    return f"{_TITLES[statistic]}, {100 * confidence:g} % interval by {_METHODS[interval]}"
