"""Runs of which nothing exists have one file for each experiment in place of theirs."""

import json
from pathlib import Path

import pytest
from caduceus.project.project import Project, load_project
from caduceus.project.unstarted_runs import UnstartedRuns
from caduceus.system.snakemake_records import record_path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    Path("train.py").touch()
    common = {"type": "baseline", "program": "train.py", "matrix": {"width": [1, 2]}, "seeds": [0]}
    for name in ("a", "b"):
        Path(f"{name}.yaml").write_text(json.dumps({"id": name} | common))
    return load_project({"experiments": ["a.yaml", "b.yaml"], "wandb": {"project": "p"}}, [])


def replaced(project: Project, *paths: str) -> list[tuple[str, list[str]] | str]:
    found = UnstartedRuns(project).replaced(paths, lambda name, files: (name, files))  # type: ignore[arg-type, return-value]
    return list(found)


def test_each_experiment_has_one_file(project: Project) -> None:
    a0, a1, b0, _ = (f"results/runs/{run}/train.json" for run in project.runs)
    other = "results/runs/other/train.json"

    assert replaced(project, a0, b0, other, a1, "data.csv") == [
        *(other, "data.csv"),
        *(("a", [a0, a1]), ("b", [b0])),
    ]


@pytest.mark.parametrize("is_record", [False, True])
def test_a_run_of_which_anything_exists_keeps_its_files(project: Project, is_record: bool) -> None:
    path = f"results/runs/{next(iter(project.runs))}/train.json"
    file = Path(record_path(path) if is_record else f"{path}.part")
    file.parent.mkdir(parents=True)
    file.touch()

    assert replaced(project, path) == [path]


def test_all_jobs_of_its_runs_are_listed(project: Project) -> None:
    jobs = list(UnstartedRuns(project).jobs("a", threads=3))

    rules = ["plan_run", "init_run", "train", "upload_artifacts", "export_run"]
    assert [job["rule"] for job in jobs] == 2 * rules
    assert [job["threads"] for job in jobs[:5]] == [1, 1, 3, 1, 1]
    assert json.loads(jobs[0]["params"]["definition"])["parameters"] == {"width": 1}  # type: ignore[index]
    assert json.loads(jobs[1]["params"]["identity"])["experiment"] == "a"  # type: ignore[index]
