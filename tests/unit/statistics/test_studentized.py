"""Bootstrap-t intervals against a published one, all samples there are, and simulated coverage."""

import math
from itertools import product

import numpy as np
import pytest
from caduceus.errors import SpecError
from caduceus.statistics import estimate, estimate_mean
from caduceus.statistics.bounded import estimate_within
from caduceus.statistics.curves import estimate_steps
from caduceus.statistics.estimates import Statistic, t_interval
from caduceus.statistics.settings import Methods
from caduceus.statistics.studentized import bootstrap_t_interval, is_enumerated
from hypothesis import given, settings
from hypothesis import strategies as st

# Efron & Tibshirani 1993, table 2.1: days that untreated mice survived.
CONTROL = [52, 104, 146, 10, 51, 30, 40, 27, 46]

values_of_a_grid = st.lists(st.integers(-50, 50).map(lambda k: k / 8), min_size=5, max_size=8)
varied = values_of_a_grid.filter(lambda found: len(set(found)) > 1)


@pytest.mark.parametrize("resamples", [1_000, 30_000])
def test_the_interval_is_the_published_one(resamples: int) -> None:
    """Efron & Tibshirani 1993, section 12.5: 35.82 to 116.74, by 1,000 resamples.

    Their t has the percentiles -4.53 and 1.53. There are 24,310 different resamples of nine.
    """
    found = estimate(CONTROL, "mean", "bootstrap-t", 0.9, resamples)
    assert (found.low, found.high) == pytest.approx((35.82, 116.74), abs=1.5)
    assert found.method == "mean, 90 % interval by bootstrap-t"
    error = np.std(CONTROL) / 3
    percentiles = (found.value - found.high) / error, (found.value - found.low) / error
    assert percentiles == pytest.approx((-4.53, 1.53), abs=0.1)


def test_few_values_have_all_their_resamples() -> None:
    """The quantiles of t over all 5^5 samples, one by one."""
    values = np.array([1.0, 2.0, 2.5, 4.0, 11.0])
    samples = np.array(list(product(values, repeat=5)))
    with np.errstate(divide="ignore"):
        t = (samples.mean(axis=1) - values.mean()) / (samples.std(axis=1, ddof=1) / 5**0.5)
    t.sort()
    error = values.std(ddof=1) / 5**0.5
    beyond = math.floor(0.025 * 5**5)  # how many may lie on either side
    found = estimate(values, "mean", "bootstrap-t", seed=1)
    ends = values.mean() - t[-1 - beyond] * error, values.mean() - t[beyond] * error
    assert (found.low, found.high) == pytest.approx(ends)
    assert found == estimate(values, "mean", "bootstrap-t", seed=2)  # nothing is drawn
    assert [n for n in range(5, 12) if is_enumerated(n, 10_000)] == [5, 6, 7, 8]


def test_many_values_are_drawn_by_the_seed() -> None:
    values = np.random.default_rng(0).lognormal(size=20)
    found = estimate(values, "mean", "bootstrap-t")
    assert found == estimate(values[::-1], "mean", "bootstrap-t")
    other = estimate(values, "mean", "bootstrap-t", seed=1)
    assert other.low != found.low and other.low == pytest.approx(found.low, rel=0.05)


def test_an_interval_reaches_to_the_side_of_the_tail() -> None:
    found, students = estimate(CONTROL, "mean", "bootstrap-t"), estimate_mean(CONTROL)
    assert found.value - found.low < students.value - students.low
    assert found.high - found.value > students.high - students.value


@given(varied, st.sampled_from([-2.0, 0.5, 3.0]))
@settings(deadline=None)
def test_intervals_move_with_the_unit(values: list[float], factor: float) -> None:
    found = estimate(values, "mean", "bootstrap-t")
    moved = estimate([factor * value + 7 for value in values], "mean", "bootstrap-t")
    ends = sorted((factor * found.low + 7, factor * found.high + 7))
    assert (moved.low, moved.high) == pytest.approx(ends, nan_ok=True)
    assert math.isnan(found.low) == math.isnan(found.high)
    assert math.isnan(found.low) or found.low <= found.value <= found.high


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, 4.0, 8.0],
        [0.1] * 6,
        # 4 of 5 are equal: a third of all resamples is that value alone, and their t is infinite.
        [0.97, 0.97, 0.97, 0.97, 0.98],
        [1e9 + 0.97, *[1e9 + 0.96] * 5],
    ],
)
def test_too_few_values_have_no_interval(values: list[float]) -> None:
    found = estimate(values, "mean", "bootstrap-t")
    assert math.isnan(found.low) and math.isnan(found.high)
    assert found.value == pytest.approx(np.mean(values))


@pytest.mark.parametrize("statistic", ["median", "iqm"])
def test_it_is_an_interval_of_the_mean(statistic: Statistic) -> None:
    with pytest.raises(SpecError, match=f"bootstrap-t .* not of the {statistic}"):
        estimate(CONTROL, statistic, "bootstrap-t")


def test_it_is_cut_at_a_declared_range() -> None:
    values = [0.99, 0.985, 0.98, 0.95, 0.992, 0.7]
    plain, cut = (
        estimate_within(Methods(interval="bootstrap-t"), values, bounds)
        for bounds in (None, (0.3, 1))
    )
    assert plain.low < 0.3 and plain.high > 1 and (cut.low, cut.high) == (0.3, 1)
    assert cut.method == "mean, 95 % interval by bootstrap-t, cut at its range"


def test_curves_have_it_at_each_step_with_enough_runs() -> None:
    values = np.random.default_rng(0).lognormal(size=(7, 60))
    values[4:, 59] = np.nan
    n, mean, low, high = estimate_steps(values, Methods(interval="bootstrap-t"))
    assert list(n[-2:]) == [7, 4] and np.isnan(low[59]) and np.isnan(high[59])
    for step in (0, 58):
        found = estimate(values[:, step], "mean", "bootstrap-t")
        assert (mean[step], low[step], high[step]) == pytest.approx(
            (found.value, found.low, found.high)
        )


@pytest.mark.parametrize("n", [8, 10])
def test_it_covers_the_mean_of_skewed_runs_more_often(n: int) -> None:
    """Exponential runs: Student's t covers about 89 %, and 2,000 samples err by 0.6 %."""
    samples = np.random.default_rng(n).exponential(size=(2_000, n))
    shares = []
    for parts in (
        [t_interval(samples, "mean", 0.95)],
        [
            bootstrap_t_interval(part, 0.95, 2_000, seed)
            for seed, part in enumerate(np.split(samples, 40))
        ],
    ):
        low, high = np.hstack(parts)
        shares.append(float(np.mean((low <= 1) & (high >= 1))))
    students, studentized = shares
    assert students < 0.91 and 0.93 < studentized < 0.97
