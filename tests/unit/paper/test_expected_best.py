"""What fewer trials would have found."""

import itertools

import numpy as np
import pytest
from caduceus.paper.figures.expected_best import expected_best
from caduceus.runs.goal import Goal


@pytest.mark.parametrize(("goal", "choose"), [(Goal.MINIMIZE, min), (Goal.MAXIMIZE, max)])
def test_it_is_the_mean_over_all_ways_to_draw(goal: str, choose: object) -> None:
    objectives = [0.3, -1.0, 0.3, 2.5, 7.0, 0.0]
    found = expected_best(objectives, goal)
    assert list(found.trials) == [1, 2, 3, 4, 5, 6]
    for n in found.trials:
        best = [choose(drawn) for drawn in itertools.combinations(objectives, n)]  # type: ignore[operator]
        assert found.mean[n - 1] == pytest.approx(np.mean(best))
        assert found.std[n - 1] == pytest.approx(np.std(best))


def test_it_is_the_known_answer_for_even_objectives() -> None:
    # The greatest of n numbers drawn from 1 .. N (the German tank problem).
    count = 1500
    found = expected_best(np.random.default_rng(0).permutation(count) + 1.0, Goal.MAXIMIZE)
    n = found.trials.astype(float)
    variance = n * (count - n) * (count + 1) / ((n + 1) ** 2 * (n + 2))
    assert found.mean == pytest.approx(n * (count + 1) / (n + 1), rel=1e-10)
    assert found.std == pytest.approx(variance**0.5, rel=1e-6, abs=1e-6)


def test_it_is_unbiased_for_new_trials() -> None:
    # The least of n uniform numbers is 1 / (n + 1) on average, which draws with replacement miss.
    rng = np.random.default_rng(1)
    means = [expected_best(rng.random(10), Goal.MINIMIZE).mean for _ in range(4000)]
    assert np.mean(means, axis=0) == pytest.approx(1 / (np.arange(10) + 2), abs=0.01)


def test_all_trials_give_the_best_for_sure() -> None:
    found = expected_best([3.0, 1.0, 2.0], Goal.MINIMIZE)
    assert found.mean[-1] == 1.0
    assert found.std[-1] == 0.0


def test_a_trial_that_diverged_far_overflows_nothing() -> None:
    found = expected_best([1.0, 2.0, 1e300], Goal.MINIMIZE)
    assert found.mean[-1] == 1.0
    assert np.isfinite(found.std).all()


def test_one_trial_and_none() -> None:
    found = expected_best([0.5], Goal.MAXIMIZE)
    assert (list(found.mean), list(found.std)) == ([0.5], [0.0])
    assert len(expected_best([], Goal.MAXIMIZE).trials) == 0
