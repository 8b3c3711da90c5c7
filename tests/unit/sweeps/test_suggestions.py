"""The next trial of a sweep, by each method."""

import dataclasses
import itertools
import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from caduceus.sweeps.observations import Observation
from caduceus.sweeps.suggestions import suggest
from told_trials import PARAMETERS, optimise, sweep, trials_of

SAMPLERS = ["gp", "tpe"]


def test_a_grid_is_gone_through_in_order_and_then_ends() -> None:
    config = sweep("grid", {"a": {"values": [1, 2]}, "b": {"values": ["x", "y"]}})
    found = [suggest(config, "gp", 0, number, []) for number in range(5)]
    assert found == [*config.space.grid(), None]


def test_a_random_trial_depends_on_seed_and_number_alone() -> None:
    config = sweep("random")
    found = suggest(config, "gp", 3, 20, [])
    assert found == suggest(config, "tpe", 3, 20, trials_of(config, 20))
    others = [suggest(config, "gp", *pair, []) for pair in itertools.product((3, 4), (20, 21))]
    assert found == others[0]
    assert len({json.dumps(other) for other in others}) == 4


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(("lag", "least"), [(1, 10), (7, 10), (12, 14)])
def test_optuna_is_asked_when_there_are_trials_and_results(
    sampler: str, lag: int, least: int
) -> None:
    config = sweep("bayes")
    alike = [
        suggest(
            config, sampler, 0, number, trials_of(config, max(number + 1 - lag, 0), running), None
        )
        == suggest(sweep("random"), sampler, 0, number, [])
        for number in range(least - 2, least + 2)
        for running in [min(number, lag - 1)]
    ]
    assert alike == [True] * 2 + [False] * 2


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_all_kinds_of_parameters_are_suggested_in_their_ranges(sampler: str) -> None:
    config = sweep("bayes")
    for number in (20, 21, 22):
        found = suggest(config, sampler, 0, number, trials_of(config, number))
        assert found is not None
        assert list(found) == list(PARAMETERS)
        assert found["kind"] == "fixed"
        assert 1e-5 <= found["rate"] <= 1e-1
        assert found["optimizer"]["name"] in ("adam", "sgd", None)
        assert 0 <= found["optimizer"]["momentum"] <= 0.99
        assert found["layers"] in range(1, 6)
        assert found["width"] in (16, 64, 256)
        assert found["steps"] in range(10, 1001, 10)
        assert json.loads(json.dumps(found)) == found  # plain values


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_parallel_trials_keep_apart(sampler: str) -> None:
    """Seven are suggested from the same results; where the best lies, there is room for one."""
    config = sweep("bayes", {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}})

    def bowl(at: Any) -> float:
        return float((at["x"] - 0.3) ** 2 + (at["y"] - 0.7) ** 2)

    places = np.random.default_rng(0).random((12, 2)).tolist()
    places += [[0.3 + 0.01 * away, 0.7 - 0.02 * away] for away in range(-4, 4)]
    told = [Observation(at, bowl(at), "finished") for x, y in places for at in [{"x": x, "y": y}]]
    for number in range(20, 27):
        found = suggest(config, sampler, 0, number, told)
        assert found is not None
        told.append(Observation(found, None, "running"))
    points = np.array([[trial.parameters["x"], trial.parameters["y"]] for trial in told[20:]])
    apart = [math.dist(a, b) for a, b in itertools.combinations(points, 2)]
    assert min(apart) > 1e-3


LISTS: dict[str, Any] = {
    "optimizer": {
        "parameters": {"name": {"values": ["adam", "sgd"]}, "decay": {"values": [0, 1e-4]}}
    },
    "width": {"values": [16, 64, 256]},
    "kind": {"value": "fixed"},
}


def weight(at: Any) -> float:
    return float(abs(at["width"] - 64) + at["optimizer"]["decay"])


def test_a_space_of_lists_is_tried_whole_before_anything_comes_twice() -> None:
    """Of 12 configurations; a random search repeats some."""
    config = sweep("bayes", LISTS)
    found = [json.dumps(told.parameters) for told in optimise(config, weight, 14, 3, "tpe")]
    assert len(set(found[:12])) == config.space.grid_size == 12
    assert set(found[12:]) <= set(found[:12])
    random = optimise(sweep("random", LISTS), weight, 12)
    assert len({json.dumps(told.parameters) for told in random}) < 12


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_is_left_is_found_wherever_the_best_lies(sampler: str) -> None:
    config = sweep("bayes", LISTS)
    *tried, left = sorted(config.space.grid(), key=weight)
    told = [Observation(parameters, weight(parameters), "finished") for parameters in tried]
    assert suggest(config, sampler, 0, 11, told) == left


def test_what_comes_instead_of_a_repetition_is_decided_by_the_seed() -> None:
    config = sweep("bayes", {"a": {"min": 1, "max": 30}, "b": {"min": 1, "max": 30}})
    free = [suggest(config, "gp", seed, 0, []) for seed in range(3)]
    taken = [
        [suggest(config, "gp", seed, 0, [Observation(found, 1.0, "finished")]) for _ in range(2)]
        for seed, found in enumerate(free)
        if found is not None
    ]
    assert [first for first, _ in taken] == [again for _, again in taken]
    # One parameter of the model's choice has changed, or both.
    assert all(first != before for (first, _), before in zip(taken, free, strict=True))
    assert len({json.dumps(first) for first, _ in taken}) == 3


def answer_to(fifth: Observation, impute: str) -> Any:
    config = dataclasses.replace(sweep("bayes"), impute=impute)
    told = trials_of(config, 20)
    return suggest(config, "tpe", 0, 20, [*told[:5], fifth, *told[6:]])


def test_failed_trials_count_as_the_worst() -> None:
    told: list[Any] = trials_of(sweep("bayes"), 20)
    worst = max(trial.objective for trial in told)

    def answer(fifth: Observation) -> Any:
        return answer_to(fifth, "worst")

    parameters = told[5].parameters
    expected = answer(Observation(parameters, worst, "finished"))
    assert answer(Observation(parameters, None, "failed")) == expected
    assert answer(Observation(parameters, 0.0, "failed")) == expected
    assert answer(Observation(parameters, None, "finished")) == expected
    assert answer(Observation(parameters, math.nan, "finished")) == expected
    assert answer(Observation(parameters, -math.inf, "finished")) == expected


def test_how_bad_a_diverged_trial_is_does_not_matter() -> None:
    config = sweep("bayes")
    told = trials_of(config, 20)

    def answer(objective: float) -> Any:
        fifth = Observation(told[5].parameters, objective, "finished")
        return suggest(config, "gp", 0, 20, [*told[:5], fifth, *told[6:]])

    assert answer(20.0) == answer(1e9) == answer(1e300)


@pytest.mark.parametrize(
    ("method", "allowed"), [("grid", set()), ("random", {"numpy"}), ("bayes", {"numpy"})]
)
def test_a_suggestion_imports_at_most_numpy(method: str, allowed: set[str]) -> None:
    code = (
        "import sys\n"
        "from caduceus.sweeps.configs import read_config\n"
        "from caduceus.sweeps.observations import Observation\n"
        "from caduceus.sweeps.suggestions import suggest\n"
        f"config = {{'method': {method!r}, 'metric': {{'name': 'loss'}}}}\n"
        "config = read_config(config | {'parameters': {'x': {'values': [1, 2]}}}, str)\n"
        "told = [Observation({'x': 1}, 0.0, 'finished')] * 20\n"
        "suggest(config, 'gp', 0, 20, told)\n"
        "print(*{'numpy', 'scipy', 'optuna', 'torch'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(found.stdout.split()) == allowed


@pytest.mark.parametrize("impute", ["latest", "best"])
def test_failed_trials_may_count_with_their_own_objective(impute: str) -> None:
    parameters = trials_of(sweep("bayes"), 20)[5].parameters
    for failed, finished in ((0.1, 0.1), (50.0, 50.0), (None, 0.0), (math.nan, 0.0)):
        expected = answer_to(Observation(parameters, finished, "finished"), impute)
        assert answer_to(Observation(parameters, failed, "failed"), impute) == expected


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_it_goes_on_when_all_have_failed(sampler: str) -> None:
    config = sweep("bayes")
    told = [Observation(trial.parameters, None, "failed") for trial in trials_of(config, 15)]
    assert suggest(config, sampler, 0, 15, told) is not None


def test_a_sweep_of_constants_has_one_configuration() -> None:
    config = sweep("bayes", {"a": {"value": 1}, "b": {"values": ["x"]}})
    told = [Observation({"a": 1, "b": "x"}, 1.0, "finished")] * 20
    assert suggest(config, "gp", 0, 20, told) == {"a": 1, "b": "x"}
