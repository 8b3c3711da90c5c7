"""Sweeps of an objective that is known, and trials of them."""

import math
from typing import Any

import numpy as np
from caduceus.sweeps.configs import SweepConfig, read_config
from caduceus.sweeps.observations import Observation
from caduceus.sweeps.suggestions import suggest

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


def trials_of(config: SweepConfig, finished: int, pending: int = 0) -> list[Observation]:
    """Random trials of `loss`."""
    found = [config.space.sample(np.random.default_rng(n)) for n in range(finished + pending)]
    return [
        Observation(parameters, loss(parameters), "finished")
        if number < finished
        else Observation(parameters, None, "running")
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
            trial if place <= number - lag else Observation(trial.parameters, None, "running")
            for place, trial in enumerate(told)
        ]
        parameters = suggest(config, sampler, seed, number, earlier)
        assert parameters is not None
        told.append(Observation(parameters, objective(parameters), "finished"))
    return told
