"""The space of a sweep: its grid and its samples."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from caduceus.sweeps.parameters import read_space
from caduceus.sweeps.spaces import Space
from projects import REPOSITORY
from written_sweeps import NESTED


def space(parameters: dict[str, Any], method: str = "grid") -> Space:
    return read_space(parameters, method, lambda keys: "x.yaml:1")


def texts(configurations: list[dict[str, Any]]) -> list[str]:
    """As text, which tells 1 from 1.0 and from True."""
    return [json.dumps(configuration, sort_keys=True) for configuration in configurations]


def test_a_nested_grid_in_words() -> None:
    found = space(NESTED)
    configurations = list(found.grid())

    assert found.grid_size == len(configurations) == 2 * 2 * 3 * 2
    assert configurations[1] == {
        "width": 32,
        "optimizer": {"name": "sgd", "schedule": {"warmup": 0, "kind": "cos"}, "lr": 0.1},
        "activation": "relu",
    }
    assert list(configurations[0]) == list(NESTED)  # in the order of the file
    with pytest.raises(IndexError, match="no configuration 24"):
        found.grid_point(24)


def test_the_steps_of_q_uniform_are_those_of_numpy() -> None:
    for low, high, q in [(0.0, 1.0, 0.1), (0.1, 2.05, 0.3), (0, 1, 0.3), (-1, 1.1, 1), (1, 9, 3)]:
        parameters = {"x": {"distribution": "q_uniform", "min": low, "max": high, "q": q}}
        found = [configuration["x"] for configuration in space(parameters).grid()]
        assert found == np.arange(low, high, q).tolist()
        assert all(type(value) is type(low + high + q) for value in found)


def test_a_grid_of_constants_is_one_configuration() -> None:
    assert list(space({"a": {"value": 1}}).grid()) == [{"a": 1}]


def test_large_integers_are_values_of_their_own() -> None:
    values = [2**63, 2**70, 2**70 + 1, 10**30]
    assert list(space({"a": {"values": values}}).grid()) == [{"a": value} for value in values]


def test_a_large_grid_is_counted_and_reached_at_once() -> None:
    found = space({name: {"min": 1, "max": 10**6} for name in "abcdef"})
    assert found.grid_size == 10**36
    assert found.grid_point(10**36 - 1) == dict.fromkeys("abcdef", 10**6)
    assert next(found.grid()) == dict.fromkeys("abcdef", 1)


def test_a_range_has_no_grid() -> None:
    found = space({"a": {"min": 0.0, "max": 1}}, "random")
    assert found.grid_size is None
    with pytest.raises(ValueError, match="listed values"):
        found.grid()
    with pytest.raises(IndexError):
        found.grid_point(0)


def test_a_sample_is_decided_by_the_generator_and_not_by_the_order_of_the_file() -> None:
    parameters = NESTED | {"rate": {"min": 0.0, "max": 1.0}}
    one, other = space(parameters, "random"), space(dict(reversed(parameters.items())), "random")
    first, second = np.random.default_rng(7), np.random.default_rng(7)
    for _ in range(20):
        assert one.sample(first) == other.sample(second)
    assert one.sample(first) != one.sample(first)


def test_a_sample_is_nested_and_of_plain_values() -> None:
    found = space(NESTED | {"rate": {"distribution": "beta"}}, "random")
    sample = found.sample(np.random.default_rng(0))

    assert list(sample) == [*NESTED, "rate"]
    assert sample["optimizer"].keys() == {"name", "schedule", "lr"}
    assert all(type(value) in (int, float, str) for value in found.flat(sample).values())
    assert json.loads(json.dumps(sample)) == sample


def test_the_names_of_nested_parameters_are_joined_by_points() -> None:
    found = space(NESTED)
    assert found.flat(found.grid_point(0)) == {
        "width": 64,
        "optimizer.name": "sgd",
        "optimizer.schedule.warmup": 0,
        "optimizer.schedule.kind": "cos",
        "optimizer.lr": 0.1,
        "activation": "relu",
    }
    assert [parameter.name for parameter in found.parameters] == list(
        found.flat(next(found.grid()))
    )
    names = {parameter.path: parameter.name for parameter in found.parameters}
    assert found.flat(found.nest(names)) == {name: name for name in names.values()}


def test_reading_a_configuration_loads_nothing_heavy() -> None:
    program = (
        "import sys; from caduceus.sweeps.configs import read_config\n"
        "config = read_config({'method': 'grid', 'parameters': {'a': {'values': [1]}}}, str)\n"
        "list(config.space.grid())\n"
        "print([name for name in ('numpy', 'scipy', 'pandas', 'wandb') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(REPOSITORY / "scripts")},
        check=True,
    )
    assert result.stdout.strip() == "[]"
