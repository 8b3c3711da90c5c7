"""Grids beside those of W&B's package `sweeps`."""

import json
from pathlib import Path
from typing import Any

import pytest
from caduceus.io.yaml_files import load
from caduceus.sweeps.configs import read_config
from caduceus.sweeps.parameters import read_space
from caduceus.sweeps.spaces import Space
from hypothesis import given, settings
from hypothesis import strategies as st
from sweeps import next_run
from sweeps.config import SweepConfig as WandbConfig
from sweeps.grid_search import grid_search_next_runs
from written_sweeps import NESTED, QUICKSTART, WHOLE


def space(parameters: dict[str, Any], method: str = "grid") -> Space:
    return read_space(parameters, method, lambda keys: "x.yaml:1")


def wandb_grid(parameters: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """W&B's first `count` configurations, fewer if its grid is smaller."""
    runs = grid_search_next_runs([], {"method": "grid", "parameters": parameters}, n=count)
    return [
        {name: item["value"] for name, item in run.config.items()}
        for run in runs
        if run is not None
    ]


def texts(configurations: list[dict[str, Any]]) -> list[str]:
    """As text, which tells 1 from 1.0 and from True."""
    return [json.dumps(configuration, sort_keys=True) for configuration in configurations]


# Values that are the same to Python, and more or less so to W&B. It tells [1, 2] from [1.0, 2],
# which are one value here: test_numbers_are_the_same_within_lists_too.
VALUES = st.lists(
    st.sampled_from([1, 1.0, True, "1", 0, False, None, 2.5, [1, 2], [3.0], {"a": 1}]),
    min_size=1,
    max_size=4,
).map(lambda values: {"values": values})
BOUNDS = st.tuples(st.integers(-3, 3), st.integers(1, 3)).map(
    lambda pair: {"min": pair[0], "max": sum(pair)}
)
STEPS = st.builds(
    lambda low, width, q: {"distribution": "q_uniform", "min": low, "max": low + width, "q": q},
    st.integers(-2, 2) | st.floats(-2, 2),
    st.integers(1, 3) | st.floats(0.1, 3),
    st.integers(1, 2) | st.floats(0.7, 2),
)
LEAVES = VALUES | BOUNDS | STEPS | st.just({"value": 1}) | st.just({"value": [1, {"a": None}]})
NAMES = st.sampled_from(["a", "b", "B", "_c", "a1", "Z-1"])
LEVELS = st.recursive(
    st.dictionaries(NAMES, LEAVES, min_size=1, max_size=3),
    lambda level: st.dictionaries(
        NAMES, LEAVES | level.map(lambda below: {"parameters": below}), min_size=1, max_size=3
    ),
    max_leaves=3,
)


@settings(max_examples=60, deadline=None)
@given(parameters=LEVELS)
def test_a_grid_has_wandbs_configurations_in_wandbs_order(parameters: dict[str, Any]) -> None:
    found = space(parameters)
    assert found.grid_size is not None
    expected = wandb_grid(parameters, min(found.grid_size, 50) + 1)

    assert texts(list(found.grid())[:51]) == texts(expected)
    assert texts([found.grid_point(number) for number in range(len(expected))]) == texts(expected)


@pytest.mark.parametrize("text", [QUICKSTART, WHOLE], ids=["quickstart", "whole"])
def test_wandb_takes_the_configurations_that_we_take(text: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(text)
    source = load(tmp_path / "s.yaml", "s.yaml")
    config = read_config(source.value, source.where)
    theirs = WandbConfig(dict(config.raw))
    if text == QUICKSTART:
        trial: dict[str, Any] = next_run(theirs, []).config
        assert trial.keys() == {parameter.name for parameter in config.space.parameters}


def test_a_nested_grid_is_wandbs() -> None:
    assert texts(list(space(NESTED).grid())) == texts(wandb_grid(NESTED, 100))
