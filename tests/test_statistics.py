"""Statistics against known answers."""

import math

import numpy as np
import pytest
from caduceus.statistics import estimate_mean
from scipy import stats


def test_the_interval_is_students() -> None:
    values = [4.3, 5.1, 4.8, 5.6]
    estimate = estimate_mean(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))

    assert estimate.n == 4
    assert estimate.value == pytest.approx(4.95)
    assert estimate.std == pytest.approx(np.std(values, ddof=1))
    assert (estimate.low, estimate.high) == pytest.approx((low, high))


def test_one_value_has_no_interval() -> None:
    estimate = estimate_mean([3.0])
    assert (estimate.n, estimate.value) == (1, 3.0)
    assert math.isnan(estimate.low)
    assert math.isnan(estimate.high)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    """10,000 samples of three: the standard error of the share is 0.2 %."""
    samples = np.random.default_rng(0).normal(size=(10_000, 3))
    found = [estimate_mean(sample) for sample in samples]
    assert np.mean([e.low <= 0 <= e.high for e in found]) == pytest.approx(0.95, abs=0.008)
