"""Means, medians and IQMs over runs, with their intervals."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import bdtr, stdtrit

from caduceus.errors import SpecError
from caduceus.statistics.samples import Array, Values, finite

Statistic = Literal["mean", "median", "iqm"]
Interval = Literal["t", "order", "bca", "bootstrap"]

_TITLES = {"mean": "mean", "median": "median", "iqm": "interquartile mean"}
_METHODS = {
    "t": "Student's t",
    "order": "order statistics",
    "bca": "BCa bootstrap",
    "bootstrap": "percentile bootstrap",
}


@dataclass(frozen=True)
class Estimate:
    """A statistic over n runs, with its interval.

    Attributes:
        n: how many runs.
        value: the statistic.
        std: the sample standard deviation of the runs, with n - 1 in the denominator; NaN if n is
            1. It says how far apart runs lie, and doesn't shrink with n.
        low: the lower end of the interval, NaN if n is 1.
        high: its upper end.
        method: what `value`, `low` and `high` are, such as "mean, 95 % interval by Student's t".
    """

    n: int
    value: float
    std: float
    low: float
    high: float
    method: str

    @property
    def standard_error(self) -> float:
        """How surely the mean is known: `std` / √n, which shrinks with n."""
        return float(self.std / self.n**0.5)


def estimate_mean(values: Values, confidence: float = 0.95) -> Estimate:
    """The mean of `values` (n,) and its interval by Student's t with n - 1 degrees of freedom.

    The interval is exact if the values are independent and normal (Student 1908).
    """
    array = np.asarray(values, dtype=float)
    n, mean, std, margin = len(array), float(array.mean()), float("nan"), float("nan")
    if n > 1:
        std = float(array.std(ddof=1))
        margin = float(stdtrit(n - 1, (1 + confidence) / 2)) * std / n**0.5
    return Estimate(n, mean, std, mean - margin, mean + margin, _method("mean", "t", confidence))


def estimate(
    values: Values,
    statistic: Statistic = "mean",
    interval: Interval | None = None,
    confidence: float = 0.95,
    resamples: int = 9_999,
    seed: int = 0,
) -> Estimate:
    """A statistic of `values` (n,) and its interval.

    The interquartile mean leaves out the n // 4 least and greatest values, as rliable does (Agarwal
    et al. 2021): it is the mean if n is less than 4.

    Args:
        values: one of each run; their order doesn't matter.
        statistic: what to estimate.
        interval: "t", of the IQM by winsorized variance (Tukey & McLaughlin 1963), of the median
            by what its variance is if runs are normal; "order", two of the values themselves, which
            hold the median of any distribution (Thompson 1936), from six runs on for 95 %; "bca",
            the bias-corrected and accelerated bootstrap (Efron 1987), or its plain percentiles if
            leaving out a value never matters; "bootstrap", these (Efron 1979). By default what
            covers best: "order" for a median if there are runs enough, else "t".
        confidence: the share of such intervals that should cover the true value.
        resamples: how many samples the bootstrap draws.
        seed: of the bootstrap; the same seed gives the same interval.

    Raises:
        ResultError: there is no value, or one isn't finite.
        SpecError: the statistic, or that of so few runs, has no such interval.
    """
    array = np.sort(finite(values))
    chosen = interval or best_interval(statistic, len(array), confidence)
    if len(array) == 1:
        low = high = np.nan
    elif array[0] == array[-1]:
        low = high = array[0]
    else:
        low, high = interval_of(array, statistic, chosen, confidence, resamples, seed)
    return _estimate(array, statistic, low, high, chosen, confidence)


def interval_of(
    values: Array,
    statistic: Statistic,
    interval: Interval,
    confidence: float,
    resamples: int,
    seed: int,
) -> Sequence[Any]:
    """The ends (...) of the intervals of `values` (..., n), n at least 2, as `estimate` has them.

    Where all n values are equal, a bootstrap has no interval.
    """
    if interval == "t":
        return t_interval(values, statistic, confidence)
    if interval == "order":
        return order_interval(values, statistic, confidence)
    return bootstrap_interval(values, statistic, interval, confidence, resamples, seed)


def t_interval(values: Array, statistic: Statistic, confidence: float) -> tuple[Any, Any]:
    """The ends (...) of the intervals of `values` (..., n) by Student's t."""
    n = left = values.shape[-1]
    if statistic == "iqm":
        left -= 2 * (n // 4)
        ordered = np.sort(values, axis=-1)
        ends = ordered[..., [n // 4]], ordered[..., [n - 1 - n // 4]]
        values, winsorized = ordered, np.clip(ordered, *ends)
        error = np.sqrt(winsorized.var(axis=-1) * n / (left * (left - 1)))
    else:
        error = values.std(axis=-1, ddof=1) / n**0.5
        if statistic == "median":
            error = error * (np.pi / 2) ** 0.5
    margin = stdtrit(left - 1, (1 + confidence) / 2) * error
    value = STATISTICS[statistic](values)
    return value - margin, value + margin


def order_interval(values: Array, statistic: Statistic, confidence: float) -> tuple[Any, Any]:
    """The ends (...) of the intervals of the median of `values` (..., n), which are among them.

    Raises:
        SpecError: the statistic isn't the median, or there are too few values.
    """
    n = values.shape[-1]
    outside = _outside(n, confidence)
    if statistic != "median" or not outside:
        raise SpecError(f"order statistics give no interval of the {statistic} of {n} runs: use t")
    ordered = np.sort(values, axis=-1)
    return ordered[..., outside - 1], ordered[..., n - outside]


def _outside(n: int, confidence: float) -> int:
    """The place of the interval's lower end among n values in order, from 1; 0 if it has none."""
    return int((2 * bdtr(np.arange(n // 2), n, 0.5) <= 1 - confidence).sum())


def best_interval(statistic: Statistic, n: int, confidence: float) -> Interval:
    """What covers best with few runs: workflow/STATISTICS.md has the figures."""
    return "order" if statistic == "median" and _outside(n, confidence) else "t"


def bootstrap_interval(
    values: Array,
    statistic: Statistic,
    method: Literal["bca", "bootstrap"],
    confidence: float,
    resamples: int,
    seed: int,
) -> Sequence[Any]:
    """The ends (...) of the intervals of `values` (..., n) by bootstrap."""
    from scipy.stats import DegenerateDataWarning, bootstrap  # takes half a second

    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)
        found = bootstrap(
            (values,),
            STATISTICS[statistic],
            axis=-1,
            confidence_level=confidence,
            n_resamples=resamples,
            method="BCa" if method == "bca" else "percentile",
            rng=np.random.default_rng(seed),
        )
    ends = found.confidence_interval
    if method == "bootstrap":
        return list(ends)
    plain = np.quantile(
        found.bootstrap_distribution, ((1 - confidence) / 2, (1 + confidence) / 2), axis=-1
    )
    return [np.where(np.isnan(end), p, end) for end, p in zip(ends, plain, strict=True)]


def iqm(values: Array, axis: int = -1) -> Any:
    """The mean along `axis` of what is left without the n // 4 least and greatest values."""
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
    value = float(STATISTICS[statistic](array))
    method = _method(statistic, interval, confidence)
    return Estimate(n, value, std, float(low), float(high), method)


def _method(statistic: Statistic, interval: Interval, confidence: float) -> str:
    return f"{_TITLES[statistic]}, {100 * confidence:g} % interval by {_METHODS[interval]}"
