"""Means, medians and IQMs over runs, with their intervals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import stdtrit

from caduceus.errors import SpecError
from caduceus.statistics.samples import Array, Values, finite

Statistic = Literal["mean", "median", "iqm"]
Interval = Literal["t", "bca", "bootstrap"]

# What covers best with 3 to 10 runs: workflow/STATISTICS.md has the figures.
BEST_INTERVALS: dict[Statistic, Interval] = {"mean": "t", "median": "bootstrap", "iqm": "t"}
_TITLES = {"mean": "mean", "median": "median", "iqm": "interquartile mean"}
_METHODS = {"t": "Student's t", "bca": "BCa bootstrap", "bootstrap": "percentile bootstrap"}


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
    low, high = t_interval(array, "mean", confidence) if len(array) > 1 else (np.nan, np.nan)
    return _estimate(array, "mean", low, high, "t", confidence)


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
        interval: "t", of the IQM by winsorized variance (Tukey & McLaughlin 1963), there is none of
            a median; "bca", the bias-corrected and accelerated bootstrap (Efron 1987); "bootstrap",
            its plain percentiles (Efron 1979). By default the one that covers best with few runs.
        confidence: the share of such intervals that should cover the true value.
        resamples: how many samples the bootstrap draws.
        seed: of the bootstrap; the same seed gives the same interval.

    Raises:
        ResultError: there is no value, or one isn't finite.
        SpecError: the statistic has no such interval.
    """
    array = np.sort(finite(values))
    chosen = interval or BEST_INTERVALS[statistic]
    if len(array) == 1:
        low = high = np.nan
    elif array[0] == array[-1]:
        low = high = array[0]
    elif chosen == "t":
        low, high = t_interval(array, statistic, confidence)
    else:
        low, high = bootstrap_interval(array, statistic, chosen, confidence, resamples, seed)
    return _estimate(array, statistic, low, high, chosen, confidence)


def t_interval(values: Array, statistic: Statistic, confidence: float) -> tuple[Any, Any]:
    """The ends (...) of the intervals of `values` (..., n) by Student's t.

    Raises:
        SpecError: the statistic is the median.
    """
    if statistic == "median":
        raise SpecError("Student's t has no interval of a median: use bca or bootstrap")
    n = values.shape[-1]
    cut = n // 4 if statistic == "iqm" else 0
    left = n - 2 * cut
    winsorized = np.clip(
        values,
        np.partition(values, cut, axis=-1)[..., [cut]],
        np.partition(values, n - 1 - cut, axis=-1)[..., [n - 1 - cut]],
    )
    error = np.sqrt(winsorized.var(axis=-1) * n / (left * (left - 1)))
    margin = stdtrit(left - 1, (1 + confidence) / 2) * error
    value = STATISTICS[statistic](values)
    return value - margin, value + margin


def bootstrap_interval(
    values: Array,
    statistic: Statistic,
    method: Literal["bca", "bootstrap"],
    confidence: float,
    resamples: int,
    seed: int,
) -> tuple[Any, Any]:
    """The ends (...) of the intervals of `values` (..., n) by bootstrap."""
    from scipy.stats import bootstrap  # takes half a second

    found = bootstrap(
        (values,),
        STATISTICS[statistic],
        axis=-1,
        confidence_level=confidence,
        n_resamples=resamples,
        method="BCa" if method == "bca" else "percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return found.low, found.high


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
    method = f"{_TITLES[statistic]}, {100 * confidence:g} % interval by {_METHODS[interval]}"
    value = float(STATISTICS[statistic](array))
    return Estimate(n, value, std, float(low), float(high), method)
