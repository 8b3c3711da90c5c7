"""Means, medians and interquartile means against published answers."""

import math
from itertools import product

import numpy as np
import pytest
from caduceus.errors import ResultError, SpecError
from caduceus.statistics import estimate, estimate_mean
from caduceus.statistics.estimates import STATISTICS, Interval, Statistic, t_interval
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr, ndtri

# Student 1908: hours of sleep gained by ten patients with one drug more than with the other.
SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
# Efron & Tibshirani 1993, table 2.1: days that mice survived, treated and not.
TREATED = [94, 197, 16, 38, 99, 141, 23]
CONTROL = [52, 104, 146, 10, 51, 30, 40, 27, 46]

eighths = st.integers(-1000, 1000).map(lambda k: k / 8)
numbers = st.lists(eighths, min_size=2, max_size=12)
varied = numbers.filter(lambda found: len(set(found)) > 1)


def test_the_interval_is_students() -> None:
    found = estimate_mean(SLEEP)
    assert (found.n, found.value) == (10, pytest.approx(1.58))
    assert found.std == pytest.approx(1.229995)
    assert (found.low, found.high) == pytest.approx((0.7001142, 2.4598858))
    assert found.method == "mean, 95 % interval by Student's t"


def test_standard_deviation_and_standard_error_are_named_apart() -> None:
    treated, control = estimate_mean(TREATED), estimate_mean(CONTROL)
    assert (treated.value, treated.standard_error) == pytest.approx((86.86, 25.24), abs=0.005)
    assert (control.value, control.standard_error) == pytest.approx((56.22, 14.14), abs=0.02)
    assert treated.std == pytest.approx(25.24 * 7**0.5, abs=0.02)


def test_medians_and_interquartile_means_are_as_published() -> None:
    assert estimate(TREATED, "median").value == 94
    assert estimate(CONTROL, "median").value == 46
    twelve = [5, 8, 4, 38, 8, 6, 9, 7, 7, 3, 1, 6]  # Wikipedia, Interquartile mean
    assert estimate(twelve, "iqm").value == 6.5
    assert estimate(SLEEP, "iqm").value == pytest.approx(stats.trim_mean(SLEEP, 0.25))


def test_the_interval_of_an_interquartile_mean_goes_by_winsorized_variance() -> None:
    """The same as Yuen's test of a trimmed mean against a constant would have it."""
    found = estimate(SLEEP, "iqm")
    middle = sorted(SLEEP)[2:8]
    winsorized = [middle[0]] * 2 + middle + [middle[-1]] * 2
    error = np.sqrt(9 * np.var(winsorized, ddof=1) / (6 * 5))
    margin = stats.t.ppf(0.975, 5) * error
    assert (found.low, found.high) == pytest.approx(
        (np.mean(middle) - margin, np.mean(middle) + margin)
    )


def test_bca_is_that_of_all_samples_there_are() -> None:
    """Efron 1987, by hand, on all 5^5 samples that the bootstrap could draw."""
    values = np.array([1.0, 2.0, 2.5, 4.0, 11.0])
    means = np.array([np.mean(sample) for sample in product(values, repeat=5)])
    bias = ndtri(np.mean(means < values.mean()) + np.mean(means == values.mean()) / 2)
    left = np.array([np.delete(values, i).mean() for i in range(5)])
    pull = left.mean() - left
    acceleration = (pull**3).sum() / (6 * (pull**2).sum() ** 1.5)
    ends = [
        np.quantile(means, ndtr(bias + (bias + z) / (1 - acceleration * (bias + z))))
        for z in (ndtri(0.025), ndtri(0.975))
    ]
    found = estimate(values, "mean", "bca", resamples=99_999)
    assert (found.low, found.high) == pytest.approx(ends, abs=0.1)
    plain = estimate(values, "mean", "bootstrap", resamples=99_999)
    assert (plain.low, plain.high) == pytest.approx(np.quantile(means, (0.025, 0.975)), abs=0.1)


@pytest.mark.parametrize("statistic", ["mean", "median", "iqm"])
def test_one_run_has_no_interval(statistic: Statistic) -> None:
    found = estimate([3.0], statistic)
    assert (found.n, found.value) == (1, 3.0)
    assert all(math.isnan(x) for x in (found.std, found.standard_error, found.low, found.high))


@pytest.mark.parametrize("interval", ["t", "bca", "bootstrap"])
def test_runs_that_are_all_the_same_have_no_interval(interval: Interval) -> None:
    for found in (estimate([0.1] * 6, "iqm", interval), estimate_mean([0.1] * 6)):
        assert found.value == pytest.approx(0.1)
        assert found.std == 0 and math.isnan(found.low) and math.isnan(found.high)
    assert math.isnan(estimate([0.1] * 6, "median").low)


def test_ties_leave_no_interval_of_a_single_point() -> None:
    """The three middle values of five are equal, so that their winsorized variance is 0."""
    tied = [0.99, 0.99, 0.99, 1.0, 0.98]
    found = estimate(tied, "iqm")
    margin = stats.t.ppf(0.975, 2) * 0.01 / (12 * 3) ** 0.5  # rounded to 0.01
    assert (found.low, found.high) == pytest.approx((0.99 - margin, 0.99 + margin))
    middle = [0.98, *[0.99] * 6, 1.0]
    for interval in ("order", "bootstrap", "bca"):
        point = estimate(middle, "median", interval, resamples=50, confidence=0.5)
        assert math.isnan(point.low) and math.isnan(point.high) and point.std > 0
    assert estimate([1.0, 2.0, 4.0, 9.0, 10.0], "iqm").low == pytest.approx(
        5 - stats.t.ppf(0.975, 2) * np.sqrt(np.var([2, 2, 4, 9, 9]) * 5 / 6)
    )


@pytest.mark.parametrize("statistic", ["iqm", "median"])
@pytest.mark.parametrize("n", [5, 8, 10])
def test_intervals_of_few_valued_runs_cover(statistic: Statistic, n: int) -> None:
    """Accuracies on 100 items: without the variance of rounding the IQM's cover 76 to 93 %."""
    generator = np.random.default_rng(n)
    for chance in (0.9, 0.97, 0.99):
        samples = generator.binomial(100, chance, (4_000, n)) / 100
        many = generator.binomial(100, chance, 400_001) / 100
        true = STATISTICS[statistic](many)
        low, high = t_interval(samples, statistic, 0.95)
        varies = np.ptp(samples, axis=1) > 0
        assert np.mean((low <= true) & (true <= high), where=varies) > 0.92


def test_the_interval_of_a_median_is_among_the_values() -> None:
    """Conover 1999's table of the sign test: of ten values the second and the ninth, 97.9 %."""
    found = estimate(SLEEP, "median")
    assert (found.low, found.high) == (0.8, 2.4)
    assert found.method == "median, 95 % interval by order statistics"
    assert estimate(SLEEP[:6], "median").high == 2.4
    assert estimate(SLEEP, "median", confidence=0.99).high == 4.6


def test_of_too_few_values_the_median_has_an_interval_by_students_t() -> None:
    found, mean = estimate(SLEEP[:5], "median"), estimate_mean(SLEEP[:5])
    assert found.method == "median, 95 % interval by Student's t"
    assert found.high - found.low == pytest.approx((mean.high - mean.low) * (np.pi / 2) ** 0.5)
    with pytest.raises(SpecError, match="median of 5 runs: use t"):
        estimate(SLEEP[:5], "median", "order")
    with pytest.raises(SpecError, match="mean of 10 runs: use t"):
        estimate(SLEEP, "mean", "order")


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf, 1.0], [[1.0, 2.0]]])
def test_what_is_no_sample_is_refused(values: list[float]) -> None:
    with pytest.raises(ResultError, match="statistics need"):
        estimate(values, "iqm")


@settings(max_examples=20, deadline=None)
@given(varied, st.sampled_from(["mean", "median", "iqm"]), st.sampled_from(["bca", "bootstrap"]))
def test_a_bootstrap_stays_within_the_values(
    values: list[float], statistic: Statistic, interval: Interval
) -> None:
    found = estimate(values, statistic, interval, resamples=50)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert found == estimate(values[::-1], statistic, interval, resamples=50)


@given(varied, st.sampled_from(["mean", "iqm"]), st.sampled_from([-2.0, 0.5, 3.0]))
@settings(deadline=None)
def test_intervals_by_students_t_move_with_the_unit(
    values: list[float], statistic: Statistic, factor: float
) -> None:
    found = estimate(values, statistic)
    moved = estimate([factor * value + 7 for value in values], statistic)
    ends = sorted((factor * found.low + 7, factor * found.high + 7))
    assert found.low <= found.value <= found.high
    assert (moved.low, moved.high) == pytest.approx(ends)


def test_intervals_cover_the_mean_as_often_as_they_say() -> None:
    """10,000 samples of three: the standard error of the share is 0.2 %."""
    samples = np.random.default_rng(0).normal(size=(10_000, 3))
    low, high = t_interval(samples, "mean", 0.95)
    assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(0.95, abs=0.008)


@given(numbers)
@settings(deadline=None)
def test_the_mean_by_its_short_way_is_the_mean_by_the_long_one(values: list[float]) -> None:
    short, long = estimate_mean(values), estimate(values, "mean", "t")
    assert short.method == long.method
    for name in ("n", "value", "std", "low", "high"):
        assert getattr(short, name) == pytest.approx(getattr(long, name), abs=1e-9, nan_ok=True)
