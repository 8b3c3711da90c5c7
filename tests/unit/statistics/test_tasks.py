"""Estimates over tasks and performance profiles, rliable's metrics."""

import math

import numpy as np
import pytest
from caduceus.errors import ResultError
from caduceus.statistics import (
    estimate_over_tasks,
    improvement_over_tasks,
    performance_profile,
)
from caduceus.statistics.tasks import TaskStatistic, draw
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

SCORES = np.array([[0.1, 0.5, 1.2], [0.3, 0.9, 1.6], [0.2, 0.7, 1.4], [0.6, 0.7, 1.0]])
METRICS: list[TaskStatistic] = ["mean", "median", "iqm", "optimality_gap"]


def test_metrics_are_those_of_rliable() -> None:
    """Agarwal et al. 2021; the right sides are rliable's own definitions."""
    found = {name: estimate_over_tasks(SCORES, name, resamples=99).value for name in METRICS}
    assert found["mean"] == pytest.approx(np.mean(SCORES.mean(axis=0)))
    assert found["median"] == pytest.approx(np.median(SCORES.mean(axis=0)))
    assert found["iqm"] == pytest.approx(stats.trim_mean(SCORES, 0.25, axis=None))
    assert found["optimality_gap"] == pytest.approx(1 - np.mean(np.minimum(SCORES, 1)))


def test_each_task_counts_the_same_however_many_runs_it_has() -> None:
    scores = [[1.0, 5.0], [3.0, 7.0], [math.nan, 9.0]]
    found = estimate_over_tasks(scores, "mean")
    assert (found.n, found.value) == (2, (2 + 7) / 2)
    assert found.low < found.value < found.high
    assert math.isnan(found.std)


def test_samples_vary_as_much_as_means_of_runs_do() -> None:
    """Drawn from all n they would vary by s² (n - 1) / n²; the error of sampling is 1 %."""
    runs = np.array([1.0, 2.0, 6.0])
    drawn = draw(runs, 40_000, np.random.default_rng(0))
    assert drawn.shape == (40_000, 3)
    assert drawn.mean() == pytest.approx(3, abs=0.03)
    assert drawn.mean(axis=1).var() == pytest.approx(runs.var(ddof=1) / 3, rel=0.03)


def test_the_interval_of_a_mean_over_tasks_is_as_wide_as_the_tasks_variances_say() -> None:
    scores = np.random.default_rng(3).normal(size=(10, 20)) * np.arange(1, 21)
    found = estimate_over_tasks(scores, "mean")
    error = np.sqrt((scores.var(axis=0, ddof=1) / 10).sum()) / 20
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.05)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.integers(0, 8), min_size=3, max_size=3), min_size=2, max_size=5))
def test_intervals_lie_within_the_scores(scores: list[list[int]]) -> None:
    for name in METRICS[:3]:
        found = estimate_over_tasks(scores, name, resamples=50)
        again = estimate_over_tasks(scores[::-1], name, resamples=50)
        np.testing.assert_equal((found.low, found.high), (again.low, again.high))
        if not math.isnan(found.low):
            assert np.min(scores) <= found.low < found.high <= np.max(scores)


def test_a_task_with_one_run_leaves_no_interval() -> None:
    found = estimate_over_tasks([[1.0, 2.0], [math.nan, 4.0]])
    assert (found.n, math.isnan(found.low), math.isnan(found.high)) == (1, True, True)
    profile = performance_profile([[1.0, 2.0]], [1.5])
    assert (profile.share[0], math.isnan(profile.low[0])) == (0.5, True)


def test_samples_that_all_agree_leave_no_interval() -> None:
    equal, lower = [[0.9, 0.8]] * 3, [[0.7, 0.6], [0.71, 0.5], [0.72, 0.4]]
    for found in (
        estimate_over_tasks(equal, "mean"),
        estimate_over_tasks(equal, "iqm"),
        improvement_over_tasks(equal, lower),
    ):
        assert math.isnan(found.low) and math.isnan(found.high)


def test_improvement_is_mann_and_whitneys_in_the_mean_over_tasks() -> None:
    other = SCORES[:3] * 0.5
    found = improvement_over_tasks(SCORES, other)
    wanted = np.mean(stats.mannwhitneyu(SCORES, other).statistic / (4 * 3))
    assert found.value == pytest.approx(wanted)
    assert 0.5 < found.low < found.value < found.high <= 1
    assert improvement_over_tasks(SCORES, SCORES).value == 0.5


def test_a_profile_is_the_share_of_runs_above_each_threshold() -> None:
    thresholds = [0.0, 0.55, 1.0, 2.0]
    found = performance_profile(SCORES, thresholds)
    assert list(found.share) == pytest.approx([1, (1 + 3 + 4) / 12, 3 / 12, 0])
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()
    assert (found.low[0], found.high[-1]) == (1, 0)
    assert found.high[1] > found.share[1]


def test_a_profile_of_ragged_tasks_counts_each_the_same() -> None:
    found = performance_profile([[1.0, 5.0], [3.0, 7.0], [math.nan, 9.0]], [2.0, 6.0])
    assert list(found.share) == pytest.approx([(1 / 2 + 1) / 2, (0 + 2 / 3) / 2])


def test_what_are_no_scores_is_refused() -> None:
    with pytest.raises(ResultError, match="shape"):
        estimate_over_tasks([1.0, 2.0])
    with pytest.raises(ResultError, match=r"shape \(0,\)"):
        estimate_over_tasks([[1.0, math.nan], [2.0, math.nan]])
    with pytest.raises(ResultError, match="found inf"):
        performance_profile([[math.inf], [1.0]], [1.0])
    with pytest.raises(ResultError, match="3 tasks can't be compared with scores of 2"):
        improvement_over_tasks(SCORES, SCORES[:, :2])
