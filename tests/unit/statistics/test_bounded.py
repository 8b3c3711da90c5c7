"""Intervals of means that can't leave a range: they cover better near a bound."""

from collections.abc import Callable

import numpy as np
import pytest
from caduceus.statistics.bounded import Bounds, estimate_within
from caduceus.statistics.estimates import estimate_by
from caduceus.statistics.settings import Methods
from numpy.random import Generator
from scipy import stats
from scipy.special import expit, logit

METHODS = Methods()
NEAR_ONE = [0.99, 0.97, 1.0, 0.98, 0.94]


def test_the_interval_is_students_on_the_logit_scale() -> None:
    found, plain = estimate_within(METHODS, NEAR_ONE, (0, 1)), estimate_by(METHODS, NEAR_ONE)
    mean = np.mean(NEAR_ONE)
    margin = stats.t.ppf(0.975, 4) * stats.sem(NEAR_ONE) / (mean * (1 - mean))
    assert (found.low, found.high) == pytest.approx(expit(logit(mean) + margin * np.array([-1, 1])))
    assert found.high < 1 < plain.high
    assert found.value == plain.value
    assert found.method == "mean, 95 % interval by Student's t on the logit scale"


def test_a_single_bound_takes_the_log_scale_on_either_side() -> None:
    values = [0.1, 0.5, 0.02, 1.3]
    found, mean = estimate_within(METHODS, values, (0, None)), np.mean(values)
    margin = stats.t.ppf(0.975, 3) * stats.sem(values) / mean
    assert (found.low, found.high) == pytest.approx(mean * np.exp([-margin, margin]))
    turned = estimate_within(METHODS, [-value for value in values], (None, 0))
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    percent = estimate_within(METHODS, [100 * value for value in NEAR_ONE], (0, 100))
    assert percent.low == pytest.approx(100 * estimate_within(METHODS, NEAR_ONE, (0, 1)).low)


@pytest.mark.parametrize("methods", [Methods(statistic="median"), Methods(interval="bootstrap")])
def test_other_intervals_are_cut_and_say_so(methods: Methods) -> None:
    plain, found = estimate_by(methods, NEAR_ONE), estimate_within(methods, NEAR_ONE, (0, 1))
    assert found.high == min(plain.high, 1)
    assert found.method.endswith("cut at its range") == (plain.high > 1)


@pytest.mark.parametrize("bounds", [None, (None, None), (0, 0.9)])
def test_without_bounds_that_hold_the_interval_is_the_usual_one(bounds: Bounds | None) -> None:
    assert estimate_within(METHODS, NEAR_ONE, bounds) == estimate_by(METHODS, NEAR_ONE)


@pytest.mark.parametrize(
    ("draw", "mean", "bounds", "least"),
    [
        (lambda generator: generator.beta(50, 1, 5), 50 / 51, (0, 1), 0.92),
        (lambda generator: generator.binomial(100, 0.98, 5) / 100, 0.98, (0, 1), 0.93),
        (lambda generator: generator.lognormal(size=5), np.exp(0.5), (0, None), 0.85),
        (lambda generator: generator.normal(0.7, 0.02, 5), 0.7, (0, 1), 0.93),
    ],
)
def test_near_a_bound_the_true_mean_is_covered_more_often(
    draw: Callable[[Generator], np.ndarray], mean: float, bounds: Bounds, least: float
) -> None:
    generator, covered, usual, samples = np.random.default_rng(1), 0, 0, 1000
    for _ in range(samples):
        values = draw(generator)
        for kind, found in enumerate(
            (estimate_within(METHODS, values, bounds), estimate_by(METHODS, values))
        ):
            is_covered = found.low <= mean <= found.high
            covered, usual = covered + (is_covered and not kind), usual + (is_covered and kind)
    assert covered / samples >= least
    assert covered >= usual - samples / 100
