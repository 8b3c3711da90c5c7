"""The relative change of a mean, and how often its interval holds the true one."""

import math

import numpy as np
import pytest
from caduceus.statistics.ratios import relative_change
from scipy import stats


def test_the_ends_are_the_ratios_that_a_t_test_just_rejects() -> None:
    random = np.random.default_rng(0)
    second = random.normal(10, 1, 8)
    first = 1.2 * second + random.normal(0, 0.5, 8)
    found = relative_change(first, second, is_paired=True)

    assert found.value == pytest.approx(100 * (first.mean() / second.mean() - 1))
    for end in (found.low, found.high):
        ratio = 1 + end / 100
        assert stats.ttest_1samp(first - ratio * second, 0).pvalue == pytest.approx(0.05)


def test_a_fixed_baseline_gives_the_interval_of_the_mean() -> None:
    first, second = np.array([11.0, 12.0, 13.0, 12.5]), np.full(4, 10.0)
    low, high = stats.t.interval(0.95, 3, first.mean(), stats.sem(first))
    found = relative_change(first, second, is_paired=True)
    assert (found.low, found.high) == pytest.approx((10 * low - 100, 10 * high - 100))


def test_a_baseline_near_zero_has_no_interval() -> None:
    found = relative_change([1.0, 2.0, 3.0], [-1.0, 0.5, 1.0], is_paired=False)
    assert math.isnan(found.low) and math.isnan(found.high)
    assert math.isnan(relative_change([1.0], [2.0], is_paired=True).low)
    assert math.isnan(relative_change([3.0, 3.0], [2.0, 2.0], is_paired=True).low)
    assert math.isnan(relative_change([1.0, 2.0], [0.0, 0.0], is_paired=True).value)


@pytest.mark.parametrize(
    ("first", "second", "is_paired"),
    [
        ([0.1] * 3, [0.1] * 3, True),  # whose mean isn't 0.1 in floating point
        ([0.1] * 3, [0.7] * 6, False),
        ([0.93, 0.91, 0.94], [0.93, 0.91, 0.94], True),
        ([0.2, 0.3, 0.4], [0.1, 0.15, 0.2], True),
    ],
)
def test_a_change_that_is_the_same_for_all_seeds_has_no_interval(
    first: list[float], second: list[float], is_paired: bool
) -> None:
    found = relative_change(first, second, is_paired)
    assert math.isnan(found.low) and math.isnan(found.high)


@pytest.mark.parametrize("is_paired", [True, False])
@pytest.mark.parametrize("n", [3, 8])
def test_intervals_hold_the_true_change_as_often_as_they_say(n: int, is_paired: bool) -> None:
    trials, random = 2_000, np.random.default_rng(n)
    held = 0
    for _ in range(trials):
        shared = random.normal(0, 1, n) if is_paired else np.zeros(n)
        first = 12 + shared + random.normal(0, 1, n)
        second = 10 + shared + random.normal(0, 0.5, n)
        found = relative_change(first, second, is_paired)
        held += found.low <= 20 <= found.high
    assert held >= stats.binom.ppf(0.001, trials, 0.93)
    if is_paired:
        assert held == pytest.approx(0.95 * trials, abs=3.3 * (trials * 0.05 * 0.95) ** 0.5)
