"""Sweeps as W&B's users write them."""

from typing import Any

QUICKSTART = """\
program: train.py
method: bayes
metric:
  name: val/accuracy
  goal: maximize
parameters:
  learning_rate:
    distribution: log_uniform_values
    min: 1e-5
    max: 1e-2
  batch_size:
    values: [16, 32, 64, 128]
  optimizer:
    values: [adam, sgd, rmsprop]
  dropout:
    distribution: uniform
    min: 0
    max: 0.5
"""
WHOLE = """\
apiVersion: v1
kind: sweep
controller: {type: local}
program: train.py
name: wide
description: notes
project: digits
entity: team
method: random
run_cap: 20.0
metric: {name: loss, target: 0.1, impute: best, impute_while_running: "false"}
command: ["${env}", python3, "${program}", "${args_no_hyphens}", "${envvar:HOME}", 3]
early_terminate: {type: hyperband, max_iter: 27, s: 2.0, eta: 4, strict: false}
parameters:
  epochs: {value: 10}
  optimizer:
    parameters:
      name: {values: [adam, sgd]}
      momentum: {min: 0, max: 0.9}
  layers: {min: 1, max: 3}
  units: {distribution: q_uniform, min: 16, max: 64, q: 16}
"""


# At least one parameter of every distribution, and of every way to leave it out.
DISTRIBUTIONS: list[dict[str, Any]] = [
    {"value": 3},
    {"distribution": "constant", "value": [64, 64]},
    {"values": ["adam", "sgd", None, True]},
    {"values": [8, 1, 2.5, 2]},
    {"values": [16, 16, 32]},
    {"distribution": "categorical", "values": ["a", "b", "c"]},
    {"values": ["a", "b", "c"], "probabilities": [0.2, 0.5, 0.3]},
    {
        "distribution": "categorical_w_probabilities",
        "values": [1, 2, 3],
        "probabilities": [0.1, 0, 0.9],
    },
    {"min": 3, "max": 9},
    {"distribution": "int_uniform", "min": -5, "max": 5000},
    {"min": 0.5, "max": 9},
    {"distribution": "uniform", "min": 0, "max": 1},
    {"distribution": "q_uniform", "min": 1, "max": 11, "q": 4},
    {"distribution": "q_uniform", "min": 0.05, "max": 1, "q": 0.1},
    {"distribution": "q_uniform", "min": 1, "max": 11},
    {"distribution": "log_uniform", "min": -5, "max": 2},
    {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-2},
    {"distribution": "q_log_uniform", "min": 0, "max": 4, "q": 2},
    {"distribution": "q_log_uniform_values", "min": 1, "max": 200, "q": 16},
    {"distribution": "q_log_uniform_values", "min": 0.1, "max": 200, "q": 0.3},
    {"distribution": "inv_log_uniform", "min": -5, "max": 2},
    {"distribution": "inv_log_uniform_values", "min": 1e-5, "max": 1e-2},
    {"distribution": "normal"},
    {"distribution": "normal", "mu": -3, "sigma": 2.5},
    {"distribution": "q_normal", "mu": 3, "sigma": 20, "q": 5},
    {"distribution": "q_normal"},
    {"distribution": "log_normal", "mu": 1, "sigma": 0.5},
    {"distribution": "q_log_normal", "mu": 2, "sigma": 0.5, "q": 2},
    {"distribution": "beta", "a": 2, "b": 5},
    {"distribution": "beta"},
    {"distribution": "q_beta", "a": 2, "b": 5, "q": 0.1},
    {"distribution": "q_beta"},
]


NESTED = {
    "width": {"values": [64, 32]},
    "optimizer": {
        "parameters": {
            "name": {"values": ["sgd", "adam"]},
            "schedule": {"parameters": {"warmup": {"min": 0, "max": 2}, "kind": {"value": "cos"}}},
            "lr": {"values": [0.1, 0.01]},
        }
    },
    "activation": {"value": "relu"},
}
