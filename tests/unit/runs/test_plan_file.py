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


@pytest.mark.parametrize(
    ("gpus", "share", "here", "on_a_cluster"),
    [(0, None, 0, 0), (0.25, 0.25, 0, 1), (0.999, 0.999, 0, 1), (1, None, 1, 1), (4, None, 4, 4)],
)
def test_snakemake_counts_whole_gpus(
    gpus: float, share: float | None, here: int, on_a_cluster: int
) -> None:
    resources = Resources(threads=1, mem_mb=1, gpus=gpus, runtime=0)
    assert resources.gpu_share == share
    assert resources.whole_gpus(for_share=0) == here
    assert resources.whole_gpus(for_share=1) == on_a_cluster
