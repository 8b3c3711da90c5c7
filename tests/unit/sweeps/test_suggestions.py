"""The next trial of a sweep, by each method."""

import dataclasses
import itertools
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caduceus.sweeps.configs import SweepConfig, read_config
from caduceus.sweeps.suggestions import Told, suggest

PARAMETERS: dict[str, Any] = {
    "rate": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1},
    "optimizer": {
        "parameters": {
            "name": {"values": ["adam", "sgd", None]},
            "momentum": {"min": 0.0, "max": 0.99},
        }
    },
    "layers": {"min": 1, "max": 5},
    "width": {"values": [256, 16, 64]},
    "steps": {"distribution": "q_log_uniform_values", "min": 10, "max": 1000, "q": 10},
    "noise": {"distribution": "normal", "mu": 0.0, "sigma": 1.0},
    "kind": {"value": "fixed"},
}
SAMPLERS = ["gp", "tpe"]


def sweep(
    method: str, parameters: dict[str, Any] = PARAMETERS, goal: str = "minimize"
) -> SweepConfig:
    config = {
        "method": method,
        "metric": {"name": "loss", "goal": goal},
        "parameters": parameters,
    }
    return read_config(config, str)


def loss(parameters: Any) -> float:
    found = abs(math.log10(parameters["rate"]) + 3) + abs(parameters["layers"] - 4)
    return found + (parameters["optimizer"]["name"] != "sgd") + abs(parameters["width"] - 64) / 100


def trials_of(config: SweepConfig, finished: int, pending: int = 0) -> list[Told]:
    """Random trials of `loss`."""
    found = [config.space.sample(np.random.default_rng(n)) for n in range(finished + pending)]
    return [
        Told(parameters, loss(parameters), "finished")
        if number < finished
        else Told(parameters, None, "running")
        for number, parameters in enumerate(found)
    ]


def optimise(
    config: SweepConfig,
    objective: Any,
    trials: int,
    lag: int = 1,
    sampler: str = "gp",
    seed: int = 0,
) -> list[Any]:
    """All trials of a sweep in which trial t knows the results of 0 .. t - lag."""
    told: list[Any] = []
    for number in range(trials):
        earlier = [
            trial if place <= number - lag else Told(trial.parameters, None, "running")
            for place, trial in enumerate(told)
        ]
        parameters = suggest(config, sampler, seed, number, earlier)
        assert parameters is not None
        told.append(Told(parameters, objective(parameters), "finished"))
    return told


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
def test_a_model_is_asked_when_there_are_trials_and_results(
    sampler: str, lag: int, least: int
) -> None:
    config = sweep("bayes")
    alike = [
        suggest(config, sampler, 0, number, trials_of(config, max(number + 1 - lag, 0), running))
        == suggest(sweep("random"), sampler, 0, number, [])
        for number in range(least - 2, least + 2)
        for running in [min(number, lag - 1)]
    ]
    assert alike == [True] * 2 + [False] * 2


@pytest.mark.parametrize("sampler", ["gp", pytest.param("tpe", marks=pytest.mark.soak)])
def test_another_process_with_more_threads_gives_the_same_answer(sampler: str) -> None:
    """Of 60 trials, 6 of them pending."""
    script = (
        f"import json, sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import torch; torch.set_num_threads(int(sys.argv[1]))\n"
        "from test_suggestions import suggest, sweep, trials_of\n"
        "config = sweep('bayes')\n"
        f"print(json.dumps(suggest(config, {sampler!r}, 5, 60, trials_of(config, 54, 6))))\n"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", script, threads],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    ]
    assert found[0] == found[1]
    config = sweep("bayes")
    assert json.loads(found[0]) == suggest(config, sampler, 5, 60, trials_of(config, 54, 6))


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


@pytest.mark.parametrize(
    ("goal", "sampler"),
    [
        ("minimize", "tpe"),
        ("maximize", "gp"),
        pytest.param("minimize", "gp", marks=pytest.mark.soak),
        pytest.param("maximize", "tpe", marks=pytest.mark.soak),
    ],
)
def test_it_finds_better_trials_than_chance(sampler: str, goal: str) -> None:
    sign = 1 if goal == "minimize" else -1
    found = optimise(sweep("bayes", goal=goal), lambda at: sign * loss(at), 30, 3, sampler)
    random = optimise(sweep("random"), loss, 30)
    ours, chance = (
        [sign * told.objective for told in found[20:]],
        [told.objective for told in random],
    )
    assert np.median(ours) < np.median(chance) - 1


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_parallel_trials_keep_apart(sampler: str) -> None:
    """Seven are suggested from the same results; where the best lies, there is room for one."""
    config = sweep("bayes", {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}})

    def bowl(at: Any) -> float:
        return float((at["x"] - 0.3) ** 2 + (at["y"] - 0.7) ** 2)

    told = optimise(config, bowl, 20)
    for number in range(20, 27):
        found = suggest(config, sampler, 0, number, told)
        assert found is not None
        told.append(Told(found, None, "running"))
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
    told = [Told(parameters, weight(parameters), "finished") for parameters in tried]
    assert suggest(config, sampler, 0, 11, told) == left


def test_what_comes_instead_of_a_repetition_is_decided_by_the_seed() -> None:
    config = sweep("bayes", {"a": {"min": 1, "max": 30}, "b": {"min": 1, "max": 30}})
    free = [suggest(config, "gp", seed, 0, []) for seed in range(3)]
    taken = [
        [suggest(config, "gp", seed, 0, [Told(found, 1.0, "finished")]) for _ in range(2)]
        for seed, found in enumerate(free)
        if found is not None
    ]
    assert [first for first, _ in taken] == [again for _, again in taken]
    # One parameter of the model's choice has changed, or both.
    assert all(first != before for (first, _), before in zip(taken, free, strict=True))
    assert len({json.dumps(first) for first, _ in taken}) == 3


def answer_to(fifth: Told, impute: str) -> Any:
    config = dataclasses.replace(sweep("bayes"), impute=impute)
    told = trials_of(config, 20)
    return suggest(config, "tpe", 0, 20, [*told[:5], fifth, *told[6:]])


def test_failed_trials_count_as_the_worst() -> None:
    told: list[Any] = trials_of(sweep("bayes"), 20)
    worst = max(trial.objective for trial in told)

    def answer(fifth: Told) -> Any:
        return answer_to(fifth, "worst")

    parameters = told[5].parameters
    expected = answer(Told(parameters, worst, "finished"))
    assert answer(Told(parameters, None, "failed")) == expected
    assert answer(Told(parameters, 0.0, "failed")) == expected
    assert answer(Told(parameters, None, "finished")) == expected
    assert answer(Told(parameters, math.nan, "finished")) == expected
    assert answer(Told(parameters, -math.inf, "finished")) == expected


def test_how_bad_a_diverged_trial_is_does_not_matter() -> None:
    config = sweep("bayes")
    told = trials_of(config, 20)

    def answer(objective: float) -> Any:
        fifth = Told(told[5].parameters, objective, "finished")
        return suggest(config, "gp", 0, 20, [*told[:5], fifth, *told[6:]])

    assert answer(20.0) == answer(1e9) == answer(1e300)


@pytest.mark.parametrize(
    ("method", "allowed"), [("grid", set()), ("random", {"numpy"}), ("bayes", {"numpy"})]
)
def test_nothing_heavy_is_imported_before_a_model_is_asked(method: str, allowed: set[str]) -> None:
    code = (
        "import sys\n"
        "from caduceus.sweeps.configs import read_config\n"
        "from caduceus.sweeps.suggestions import Told, suggest\n"
        f"config = {{'method': {method!r}, 'metric': {{'name': 'loss'}}}}\n"
        "config = read_config(config | {'parameters': {'x': {'values': [1, 2]}}}, str)\n"
        "told = [Told({'x': 1}, 0.0, 'finished')] * 9\n"
        "suggest(config, 'gp', 0, 9, told)\n"
        "print(*{'numpy', 'scipy', 'optuna', 'torch'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(found.stdout.split()) == allowed


@pytest.mark.parametrize("impute", ["latest", "best"])
def test_failed_trials_may_count_with_their_own_objective(impute: str) -> None:
    parameters = trials_of(sweep("bayes"), 20)[5].parameters
    for failed, finished in ((0.1, 0.1), (50.0, 50.0), (None, 0.0), (math.nan, 0.0)):
        expected = answer_to(Told(parameters, finished, "finished"), impute)
        assert answer_to(Told(parameters, failed, "failed"), impute) == expected


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_it_goes_on_when_all_have_failed(sampler: str) -> None:
    config = sweep("bayes")
    told = [Told(trial.parameters, None, "failed") for trial in trials_of(config, 15)]
    assert suggest(config, sampler, 0, 15, told) is not None


def test_a_sweep_of_constants_has_one_configuration() -> None:
    config = sweep("bayes", {"a": {"value": 1}, "b": {"values": ["x"]}})
    told = [Told({"a": 1, "b": "x"}, 1.0, "finished")] * 20
    assert suggest(config, "gp", 0, 20, told) == {"a": 1, "b": "x"}
