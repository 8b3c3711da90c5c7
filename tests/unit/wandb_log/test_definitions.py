"""Definitions of metrics: the axis that each logged metric has, as wandb resolves it."""

from collections.abc import Mapping

import pytest
from caduceus.server.metric_definitions import metric_records
from caduceus.wandb_log.definitions import MetricDefinition, define, defined_metrics
from caduceus.wandb_log.wire import encode


def known(*records: Mapping[str, object]) -> dict[str, MetricDefinition]:
    found: dict[str, MetricDefinition] = {}
    for record in records:
        define(found, encode("Metric", record))
    return found


def axes(definitions: Mapping[str, MetricDefinition], *columns: str) -> dict[str, str]:
    found = defined_metrics(definitions, columns)
    return {column: each.step_metric for column, each in found.items()}


@pytest.mark.parametrize(
    ("name", "axis", "columns", "expected"),
    [
        # Lightning and Hugging Face: every metric has one axis, which has none itself.
        (
            "*",
            "train/global_step",
            ["train/global_step", "train/loss", "eval/a/b", "_step", "_runtime"],
            {"train/loss": "train/global_step", "eval/a/b": "train/global_step"},
        ),
        ("charts/*", "global_step", ["charts/return", "loss"], {"charts/return": "global_step"}),
        ("charts/*", "never logged", ["charts/return"], {"charts/return": "never logged"}),
        # A nested metric, and a key with a dot: rows tell them apart, `define_metric` doesn't.
        ("nest.a", "ns.step", ["nest.a", "ns.step"], {"nest.a": "ns.step"}),
        ("do.t", "st.ep", ["do\\.t", "st\\.ep"], {"do\\.t": "st\\.ep"}),
        ("nest.*", "i", ["nest.a", "nest.b.c", "i"], {"nest.a": "i", "nest.b.c": "i"}),
    ],
)
def test_a_metric_has_the_axis_that_was_defined_for_it(
    name: str, axis: str, columns: list[str], expected: dict[str, str]
) -> None:
    key = "glob_name" if name.endswith("*") else "name"
    assert axes(known({key: name, "step_metric": axis}), *columns) == expected


def test_the_metrics_own_definition_comes_first_then_the_longest_glob() -> None:
    definitions = known(
        {"glob_name": "*", "step_metric": "all"},
        {"glob_name": "a/*", "step_metric": "below a"},
        {"name": "a/b", "step_metric": "own"},
        {"name": "c", "options": {"defined": True}},
    )
    found = axes(definitions, "a/b", "a/c", "b", "c")
    assert found == {"a/b": "own", "a/c": "below a", "b": "all"}


def test_a_later_definition_is_merged_with_the_earlier_one_unless_it_overwrites() -> None:
    first = {"name": "a", "step_metric": "x", "options": {"step_sync": True}}
    hidden = {"name": "a", "options": {"hidden": True}}
    assert known(first, hidden)["a"] == MetricDefinition("x", True, True)
    overwriting = hidden | {"control": {"overwrite": True}}
    assert known(first, overwriting)["a"] == MetricDefinition(hidden=True)


def test_a_server_gives_the_definitions_that_the_log_has() -> None:
    entries = [
        {"1": "nest.a", "5": 2, "6": [1, 3], "7": []},
        {"1": "ns.step", "6": [], "7": []},
        {"2": "charts/*", "5": 5, "6": [1], "7": []},
        {"1": "exact", "5": 2, "6": [3, 2], "7": []},
        {"1": "global_step", "6": [3], "7": []},
    ]
    found: dict[str, MetricDefinition] = {}
    for content in metric_records({"_wandb": {"m": entries}}):
        define(found, content)
    assert found == known(
        {"name": "nest.a", "step_metric": "ns.step", "options": {"step_sync": True}},
        {"name": "ns.step"},
        {"glob_name": "charts/*", "step_metric": "global_step", "options": {"step_sync": True}},
        {"name": "exact", "step_metric": "ns.step", "options": {"hidden": True}},
        {"name": "global_step"},
    )


@pytest.mark.parametrize(
    "own",
    [None, [], {}, {"m": None}, {"m": "text"}, {"m": [None, 3, {"5": 9}, {"5": "x", "6": 1}]}],
)
def test_a_configuration_of_another_form_defines_nothing(own: object) -> None:
    found: dict[str, MetricDefinition] = {}
    for content in metric_records({"_wandb": own}):
        define(found, content)
    assert not found
