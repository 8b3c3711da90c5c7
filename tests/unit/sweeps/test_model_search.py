"""Trials of a Gaussian process: the first ones, few results, many, and spaces of all sizes."""

import json
import math
from typing import Any

import numpy as np
import pytest
from caduceus.sweeps.model_search import _fitted
from caduceus.sweeps.observations import Observation
from caduceus.sweeps.suggestions import suggest
from told_trials import loss, optimise, sweep, trials_of

SQUARE = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}


def bowl(at: Any) -> float:
    return float((at["x"] - 0.3) ** 2 + (at["y"] - 0.7) ** 2)


def told(config: Any, count: int, objective: Any) -> list[Observation]:
    found = [config.space.sample(np.random.default_rng(number)) for number in range(count)]
    return [Observation(at, objective(at), "finished") for at in found]


def test_the_first_trials_are_spread_over_every_parameter() -> None:
    config = sweep("bayes", SQUARE)
    found = [suggest(config, "gp", 5, number, []) or {} for number in range(8)]
    for name in ("x", "y"):
        assert sorted(int(8 * at[name]) for at in found) == list(range(8))
    points = np.array([[at["x"], at["y"]] for at in found])
    gaps = np.linalg.norm(points[:, None] - points, axis=2) + np.eye(8)
    assert gaps.min() > 0.15
    other = [suggest(config, "gp", 6, number, []) for number in range(8)]
    assert all(one != another for one, another in zip(found, other, strict=True))


def test_trials_before_any_result_never_come_twice() -> None:
    config = sweep("bayes", SQUARE)
    found: list[Observation] = []
    for number in range(20):
        parameters = suggest(config, "gp", 0, number, found)
        found.append(Observation(parameters or {}, None, "running"))
    assert len({json.dumps(trial.parameters) for trial in found}) == 20


@pytest.mark.parametrize(("lag", "limit"), [(1, 1e-4), (7, 1e-2)])
def test_few_trials_find_the_bottom_of_a_bowl(lag: int, limit: float) -> None:
    found = optimise(sweep("bayes", SQUARE), bowl, 20, lag)
    assert min(trial.objective for trial in found) < limit


def test_one_result_decides_the_next_trial() -> None:
    config = sweep("bayes", SQUARE)
    running = [Observation(each.parameters, None, "running") for each in told(config, 6, bowl)]
    found = [
        suggest(
            config, "gp", 0, 6, [Observation(running[0].parameters, 1.0, "finished"), *running[1:]]
        ),
        suggest(config, "gp", 0, 6, running),
    ]
    assert found[0] != found[1]


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_the_goal_only_turns_the_sign(goal: str) -> None:
    sign = 1 if goal == "minimize" else -1
    config = sweep("bayes", SQUARE, goal)
    found = suggest(config, "gp", 0, 12, told(config, 12, lambda at: sign * bowl(at)))
    expected = sweep("bayes", SQUARE)
    assert found == suggest(expected, "gp", 0, 12, told(expected, 12, bowl))


@pytest.mark.parametrize("objective", [0.0, 5.0, 1e300, -1e300, math.nan, math.inf, None])
def test_objectives_that_are_all_equal_or_none_still_give_new_trials(objective: Any) -> None:
    config = sweep("bayes", SQUARE)
    earlier = told(config, 12, lambda at: 0.0)
    earlier = [Observation(trial.parameters, objective, "finished") for trial in earlier]
    found = suggest(config, "gp", 0, 12, earlier)
    assert found is not None
    assert found not in [trial.parameters for trial in earlier]


def test_a_trial_that_diverged_repels_and_does_not_flatten_the_rest() -> None:
    config = sweep("bayes", SQUARE)
    earlier = told(config, 20, bowl)
    worst = max(range(20), key=lambda number: earlier[number].objective or 0.0)
    found = []
    for objective in (earlier[worst].objective, 1e30, math.nan, math.inf):
        changed = [*earlier]
        changed[worst] = Observation(earlier[worst].parameters, objective, "finished")
        found.append(suggest(config, "gp", 0, 20, changed))
    assert found[0] == found[1]
    assert found[2] == found[3]  # as bad as the worst of the others
    assert all(bowl(at) < 0.01 for at in found)


def test_a_small_space_is_tried_whole_before_anything_comes_twice() -> None:
    parameters = {"a": {"values": ["x", "y", "z"]}, "b": {"min": 1, "max": 4}, "c": {"value": 3}}
    config = sweep("bayes", parameters)
    found = optimise(config, lambda at: at["b"] + (at["a"] == "x"), 14, 5)
    keys = [json.dumps(trial.parameters) for trial in found]
    assert len(set(keys[:12])) == 12
    assert set(keys[12:]) <= set(keys[:12])


def test_the_best_label_is_soon_preferred() -> None:
    config = sweep("bayes")
    found = optimise(config, loss, 30, 1)
    names = [trial.parameters["optimizer"]["name"] for trial in found[15:]]
    assert names.count("sgd") > 10
    assert np.mean([trial.objective for trial in found[20:]]) < 1


def test_many_parameters_and_one_trial() -> None:
    config = sweep("bayes", {f"x{number}": {"min": 0.0, "max": 1.0} for number in range(60)})
    earlier = told(config, 30, lambda at: at["x7"])
    found = suggest(config, "gp", 0, 30, earlier) or {}
    assert all(0 <= value <= 1 for value in found.values())
    assert suggest(config, "gp", 0, 1, earlier[:1]) is not None


@pytest.mark.parametrize(("results", "running"), [(1000, 6), (1000, 200), (3, 300)])
def test_it_goes_on_after_a_thousand_trials(results: int, running: int) -> None:
    config = sweep("bayes")
    earlier = trials_of(config, results, running)
    found = suggest(config, "gp", 0, len(earlier), earlier)
    assert found not in [trial.parameters for trial in earlier]


def test_of_many_results_the_best_and_the_latest_are_fitted() -> None:
    """A fit takes time with the cube of their number."""
    costs = np.random.default_rng(0).random(1000)
    fitted = _fitted(costs)
    assert len(fitted) == 128
    assert (np.diff(fitted) > 0).all()
    assert set(np.argsort(costs)[:64]) <= set(fitted.tolist())
    assert set(range(940, 1000)) <= set(fitted.tolist())
    assert _fitted(costs[:100]).tolist() == list(range(100))
