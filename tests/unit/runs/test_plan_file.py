"""results/experiments/ID.json: written as before, read as records, and damage is one line."""

import json
from pathlib import Path
from typing import Any

import pytest
from caduceus.errors import ResultError
from caduceus.runs.files.plan import Dataset, Plan, Resources
from run_files import plan

RUN = {
    "name": "a",
    "variant": "default",
    "seed": 0,
    "definition": {
        "program": "experiments/train.py",
        "command": ["${interpreter}", "${program}", "${args}"],
        "parameters": {},
        "dataset": None,
        "code": "c0de",
        "seed": 0,
    },
    "trial": None,
}


def test_runs_are_written_by_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "toy.json"
    plan({"a": None, "b": "0001"}).write(path)
    written = json.loads(path.read_text())
    assert list(written) == ["spec", "file", "runs"]
    assert json.dumps(written["runs"]["a"]) == json.dumps(RUN)  # its keys in this order
    assert written["runs"]["b"]["trial"] == "0001"
    text = path.read_text()
    Plan.read(path).write(path)
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spec": {}}, "spec.id is missing"),
        ({"runs": {"a": {}}}, "runs[0].name is missing"),
        ({"runs": {"a": 3}}, "runs[0] is 3, not an object"),
    ],
)
def test_damage_names_the_file_and_its_mend(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "toy.json"
    path.write_text(json.dumps(plan({"a": None}).to_json() | change))
    with pytest.raises(ResultError) as error:
        Plan.read(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "`snakemake`" in str(error.value)


def test_an_empty_file_is_damage(tmp_path: Path) -> None:
    (tmp_path / "toy.json").touch()
    with pytest.raises(ResultError, match=r"toy.json: not JSON \(empty file\); delete it"):
        Plan.read(tmp_path / "toy.json")


def test_only_declared_keys_of_a_dataset_decide_results() -> None:
    dataset = Dataset(name="points", path="points.csv", version=1)
    assert dataset.identity == {"name": "points", "version": 1}
    assert dataset.to_json() == {"name": "points", "path": "points.csv", "version": 1}


def test_a_scheduler_waits_until_the_run_was_ended() -> None:
    assert Resources(threads=1, mem_mb=1, gpus=0, runtime=0).scheduler_minutes is None
    assert Resources(threads=1, mem_mb=1, gpus=0, runtime=5).scheduler_minutes == 15
