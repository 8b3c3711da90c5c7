"""Parameters that were added later, with the values that runs without them had."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from caduceus.errors import SpecError
from caduceus.project.experiments import Experiment, load_experiment
from caduceus.runs.absent_parameters import without_absent


def load(root: Path, **keys: Any) -> Experiment:
    (root / "train.py").write_text("import wandb\n")
    spec = {"id": "net", "type": "baseline", "program": "train.py", **keys}
    (root / "net.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    return load_experiment("net.yaml", {"seed": 0}, {"baseline": "", "sweep": ""}, root)


def ids(root: Path, **keys: Any) -> dict[str, str]:
    return {run.variant: run.id for run in load(root, **keys).runs}


def test_a_run_with_the_absent_value_has_the_id_of_one_without_the_parameter(
    tmp_path: Path,
) -> None:
    before = ids(tmp_path, matrix={"rate": [0.1, 0.2]})
    lists = {"rate": [0.1, 0.2], "dropout": [0.0, 0.5]}
    after = ids(tmp_path, matrix=lists, absent={"dropout": 0})
    assert after["rate=0.1,dropout=0.0"] == before["rate=0.1"]
    assert after["rate=0.2,dropout=0.0"] == before["rate=0.2"]
    assert len({*before.values(), *after.values()}) == 4
    # Without the key all four are others; the command line has the parameter all the same.
    assert not {*ids(tmp_path, matrix=lists).values()} & {*before.values()}
    run = load(tmp_path, matrix=lists, absent={"dropout": 0}).runs[0]
    assert run.definition.parameters == {"rate": 0.1, "dropout": 0.0}


@pytest.mark.parametrize(
    ("parameters", "absent", "left"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a.b": 1}, {"a": {"c": 2}}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"c": 2}}),
        ({"a": {"b": 1}}, {"a.b": 1}, {}),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, {}),
        ({"a.b": 1}, {"a.b": 1}, {}),
        ({"a": {}}, {"b": 1}, {"a": {}}),
        ({"a": 1}, {"a": 1.0}, {}),
        ({"a": True}, {"a": 1}, {"a": True}),
        ({"a": "1"}, {"a": 1}, {"a": "1"}),
        ({"a": None}, {"a": None}, {}),
        ({"a": [1, 2]}, {"a": [1, 2]}, {}),
    ],
)
def test_what_is_left(
    parameters: Mapping[str, Any], absent: Mapping[str, Any], left: Mapping[str, Any]
) -> None:
    assert without_absent(parameters, absent) == left


def test_a_sweeps_id_leaves_it_out_too(tmp_path: Path) -> None:
    config = {"method": "random", "parameters": {"rate": {"min": 0.0, "max": 1.0}}}
    given = {"type": "sweep", "sweep": {"config": config, "count": 1}}
    before = load(tmp_path, **given)
    after = load(tmp_path, **given, parameters={"dropout": 0.0}, absent={"dropout": 0.0})
    assert before.runs[0].id == after.runs[0].id
    assert after.sweep is not None and after.sweep.plan.definition.parameters == {"dropout": 0.0}


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load(tmp_path, parameters={"dropout": 0.5}, absent={"dropuot": 0.0})
    assert "net.yaml:6: absent: no run has a parameter 'dropuot', did you mean 'dropout'?" in str(
        caught.value
    )
    with pytest.raises(SpecError) as caught:
        load(tmp_path, variants={"a": {"x": 1}, "b": {"x": 1, "y": 0}}, absent={"y": 0})
    assert "absent: variants 'a' and 'b' are one by it; remove one of them" in str(caught.value)
