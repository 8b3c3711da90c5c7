"""What a program reported of its parameters, beside what was planned."""

import math
from typing import Any

import pytest
from caduceus.exports.reported_config import is_equal, used_config
from caduceus.runs.files.export import ChangedParameter


@pytest.mark.parametrize(
    ("planned", "reported"),
    [
        (1, 1.0),
        (1e-3, "1e-3"),
        ("1e-3", 0.001),
        ("0.001", "1e-3"),
        (0.1, 0.10000000149011612),  # a float32
        (True, "True"),
        (True, 1),
        (None, "None"),
        (math.nan, None),  # as wandb writes it
        (math.inf, None),
        ([1, 2], [1.0, 2]),
        ([1, 2], "[1, 2]"),
        ("64,64", [64, 64]),
        ("[a, 'b']", ["a", "'b'"]),
        ({"a": [1]}, {"a": [1.0]}),
        ("adam", "adam"),
        (2**70, float(2**70)),
        (2**70 + 1, float(2**70)),  # as a server has it
        (["a", None], "['a', None]"),  # the text of an argument
        ({"a": [0.1]}, "{'a': [0.1]}"),
        ([64, 64], "64,64"),
        ("['a', 'b']", ["a", "b"]),
        ("none", None),
        ("null", None),
        ("yes", True),
        ("off", False),
        ("adam", "ADAM"),  # wandb writes the name of an Enum
        ("adam-w", "ADAM_W"),
        ("./data/x", "data/x"),
        ("data//x/", "/home/user/data/x"),
        ("~/data", "/home/user/data"),
        ("../data", "/home/user/data"),
    ],
)
def test_converted_values_are_equal(planned: Any, reported: Any) -> None:
    assert is_equal(planned, reported)
    assert used_config({"p": planned}, {"p": reported}, ["p"]) == ({"p": planned}, {})


@pytest.mark.parametrize(
    ("planned", "reported"),
    [
        (64, 32),
        (64, None),
        (0.1, 0.1000001),
        (16777216, 16777217),
        ("adam", "Adam"),
        ("1", "one"),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": 1}, 1),
        ("[[[[", 1),
        ("64,32", [64, 64]),
        (1e300, 1.0),
        ("no", True),
        ("none", False),
        (["a"], "['b']"),
        ("data/x", "data/y"),
        ("data/x", "/home/user/otherdata/x"),
        ("/data/x", "/mnt/data/x"),
        ("data/x", "other/data/x"),
    ],
)
def test_a_changed_value_is_the_one_that_the_run_used(planned: Any, reported: Any) -> None:
    assert not is_equal(planned, reported)
    config, changed = used_config({"p": planned}, {"p": reported, "own": 1}, ["p"])
    assert config == {"p": reported, "own": 1}
    assert changed == {"p": ChangedParameter(planned, reported)}


def test_mappings_are_merged() -> None:
    planned = {"model": {"width": 128, "head": {"bias": True}, "drop.out": 0.1}, "seed": 0}
    reported = {"model": {"width": 64, "depth": 2, "drop.out": 0.2, "head": {"bias": 1}}}
    config, changed = used_config(planned, reported, planned)
    assert config == {
        "model": {"width": 64, "depth": 2, "head": {"bias": True}, "drop.out": 0.2},
        "seed": 0,
    }
    assert changed == {
        "model.width": ChangedParameter(128, 64),
        r"model.drop\.out": ChangedParameter(0.1, 0.2),
    }


def test_a_dotted_parameter_is_found_in_the_reported_mapping() -> None:
    config, changed = used_config(
        {"model.width": 128, "a.b": 1},
        {"model.width": 128, "model": {"width": 64}, "a": {"b": 1.0}},
        ["model.width", "a.b"],
    )
    assert config["model.width"] == 64
    assert changed == {r"model\.width": ChangedParameter(128, 64)}


@pytest.mark.parametrize(
    "reported",
    [
        {"batch_size": 32},
        {"batch-size": 64, "batch_size": 32},
        {"batch-size": 32, "batch_size": 64},
    ],
)
def test_a_parameter_with_hyphens_is_found_under_the_name_of_argparse(
    reported: dict[str, Any],
) -> None:
    config, changed = used_config({"batch-size": 64}, reported, ["batch-size"])
    assert config["batch-size"] == 32
    assert changed == {"batch-size": ChangedParameter(64, 32)}


def test_a_name_with_hyphens_is_found_in_mappings_and_no_other_parameter_is() -> None:
    config, changed = used_config(
        {"model.hidden-size": 8, "a-b": 1, "a_b": 2},
        {"model": {"hidden_size": 4}, "a-b": 1, "a_b": 2},
        ["model.hidden-size", "a-b", "a_b"],
    )
    assert config["model.hidden-size"] == 4
    assert (config["a-b"], config["a_b"]) == (1, 2)
    assert changed == {r"model\.hidden-size": ChangedParameter(8, 4)}


def test_an_interpolation_is_no_difference() -> None:
    config, changed = used_config({"data": "${oc.env:DATA}"}, {"data": "/data"}, ["data"])
    assert (config, changed) == ({"data": "/data"}, {})


def test_the_experiment_says_what_describes_it() -> None:
    planned = {"experiment": "toy", "dataset": "points"}
    assert used_config(planned, {"experiment": "x", "dataset": "y"}, ["rate"]) == (planned, {})
