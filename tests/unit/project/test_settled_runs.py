"""A run has settled while all that decides for its jobs is as Snakemake judged it."""

import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from caduceus.project.project import Project, load_project
from caduceus.project.run_jobs import OUTPUTS
from caduceus.project.settled_runs import Job, SettledRuns
from caduceus.system.snakemake_records import record_path
from caduceus.system.stamp import FOLDER

EXPERIMENT = {
    "id": "plain",
    "type": "baseline",
    "program": "train.py",
    "dataset": {"name": "points", "path": "points.csv", "version": 1},
    "matrix": {"width": [1, 2]},
    "seeds": [0],
}
LATER = 2**62  # every file is old enough
DATASET = "results/datasets/points/dataset.json"
TRAIN = {"attempts": [{"usage": {"files": {"used.txt": {}}}}]}


@dataclass
class MockJob:
    """A mock of Snakemake's job: that of one rule for a run."""

    input: list[str]
    output: list[str]
    wildcards: object


@dataclass
class MockGraph:
    """A mock of Snakemake's graph, with the jobs of runs and what has to run."""

    jobs: Iterable[Job]
    needed: str = ""

    def needrun(self, job: Job) -> bool:
        return self.needed in job.output


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of two runs with all their files; Snakemake has a record of one."""
    monkeypatch.chdir(tmp_path)
    return make_project()


def make_project(**changes: object) -> Project:
    for name in ("train.py", "points.csv", "used.txt"):
        if not Path(name).exists():
            Path(name).touch()
    Path("plain.yaml").write_text(json.dumps(EXPERIMENT | changes))
    loaded = load_project({"experiments": ["plain.yaml"], "wandb": {"project": "p"}}, [])
    for path in [DATASET, *(name for run in loaded.runs for name in files(run))]:
        place = Path(path)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(TRAIN) if place.name == "train.json" else "{}"
            place.write_text(text) if place.suffix else place.mkdir()
    for run in loaded.runs:
        Path(f"results/runs/{run}/work/code").mkdir(parents=True, exist_ok=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    record = Path(record_path(f"results/runs/{next(iter(loaded.runs))}/manifest.json"))
    if not record.exists():
        record.parent.mkdir(exist_ok=True)
        record.touch()
    return loaded


def files(run: str) -> list[str]:
    names = [name for names in OUTPUTS.values() for name in names]
    return [f"results/runs/{run}/{name}" for name in names]


def jobs(run: str) -> list[MockJob]:
    params, identity, train, upload, *exports = files(run)
    wildcards = SimpleNamespace(run=run)
    return [
        MockJob([], [params], wildcards),
        MockJob([], [identity], wildcards),
        MockJob([params, identity, DATASET], [train], wildcards),
        MockJob([train, identity, DATASET], [upload], wildcards),
        MockJob([params, identity, train, upload, DATASET], exports, wildcards),
    ]


def look(project: Project, common: str = "", began_ns: int = LATER) -> SettledRuns:
    return SettledRuns(project, common, began_ns)


def settle(project: Project, **graph: str) -> None:
    found = [job for run in project.runs for job in jobs(run)]
    look(project).record(MockGraph(found, **graph))


def test_runs_settle_once_nothing_was_found_for_their_jobs(project: Project) -> None:
    assert look(project).runs == set()
    settle(project)
    assert look(project).runs == set(project.runs)
    first = next(iter(project.runs))
    assert f"results/runs/{first}/manifest.json" in look(project).files


def test_a_run_with_a_job_to_do_does_not_settle(project: Project) -> None:
    first, second = project.runs
    settle(project, needed=f"results/runs/{first}/upload.json")
    assert look(project).runs == {second}


def test_what_isnt_known_of_a_run_keeps_it_from_settling(project: Project) -> None:
    first, second = project.runs
    first_jobs = jobs(first)
    first_jobs[0].input.append("own.txt")
    look(project).record(MockGraph([*first_jobs, *jobs(second)[:4]]))
    assert look(project).runs == set()


def test_a_run_stays_settled_while_others_are_judged(project: Project) -> None:
    first, second = project.runs
    settle(project, needed=f"results/runs/{first}/upload.json")
    look(project).record(MockGraph(jobs(first)))
    assert look(project).runs == {first, second}


def test_runs_of_other_experiments_stay_known_until_they_are_deleted(project: Project) -> None:
    settle(project)
    first, second = project.runs
    settle(make_project(matrix={"width": [3]}))
    assert look(project).runs == {first, second}
    shutil.rmtree(f"results/runs/{first}")
    settle(make_project(matrix={"width": [4]}))
    assert first not in json.loads((FOLDER / "settled").read_text())["runs"]
    make_project()
    edit(Path(f"results/runs/{second}/train.json"))
    assert look(project).runs == set()


def test_a_young_file_keeps_a_run_from_settling(project: Project) -> None:
    runs = look(project, began_ns=1)
    runs.record(MockGraph([job for run in project.runs for job in jobs(run)]))
    assert look(project).runs == set()


def edit(path: Path) -> None:
    path.write_text("{ }")


def touch(path: Path) -> None:
    os.utime(path)


@pytest.mark.parametrize("change", [edit, touch, Path.unlink])
@pytest.mark.parametrize("name", ["params.json", "run.json", "train.json", "manifest.json"])
def test_a_changed_file_is_looked_at_again(
    project: Project, name: str, change: Callable[[Path], object]
) -> None:
    settle(project)
    first, second = project.runs
    change(Path(f"results/runs/{first}/{name}"))
    assert look(project).runs == {second}


def test_a_lost_record_and_a_new_one_are_looked_at(project: Project) -> None:
    settle(project)
    first, second = project.runs
    Path(record_path(f"results/runs/{first}/manifest.json")).unlink()
    Path(record_path(f"results/runs/{second}/train.json")).touch()
    assert look(project).runs == set()


def test_lost_logs_are_looked_at(project: Project) -> None:
    settle(project)
    first, second = project.runs
    Path(f"results/runs/{first}/work/code").rmdir()
    assert look(project).runs == {second}


@pytest.mark.parametrize("name", ["used.txt", DATASET])
def test_what_several_runs_used_counts_for_all(project: Project, name: str) -> None:
    settle(project)
    edit(Path(name))
    assert look(project).runs == set()


def test_a_run_trained_again_settles_by_the_files_that_it_used_then(project: Project) -> None:
    settle(project)
    first, second = project.runs
    other = {"attempts": [{"usage": {"files": {"other.txt": {}}}}]}
    Path(f"results/runs/{first}/train.json").write_text(json.dumps(other))
    settle(project)
    assert look(project).runs == {first, second}
    Path("other.txt").touch()
    assert look(project).runs == {second}


def test_a_text_that_is_no_name_of_a_file_keeps_a_run_from_settling(project: Project) -> None:
    first, second = project.runs
    damaged = {"attempts": [{"usage": {"files": {"\ud800": {}}}}]}
    Path(f"results/runs/{first}/train.json").write_text(json.dumps(damaged))
    settle(project)
    assert look(project).runs == {second}


@pytest.mark.parametrize(
    ("changes", "are_settled"),
    [
        ({}, True),
        ({"seeds": [0, 1]}, True),
        ({"tags": ["new"]}, False),
        ({"hypothesis": "Another."}, False),
    ],
)
def test_what_runs_get_from_their_experiment_counts(
    project: Project, changes: dict[str, object], are_settled: bool
) -> None:
    settle(project)
    changed = make_project(**changes)
    assert look(changed).runs == (set(project.runs) if are_settled else set())


def test_other_rules_and_a_damaged_file_settle_nothing(project: Project) -> None:
    settle(project)
    assert look(project, "other rules").runs == set()
    (FOLDER / "settled").write_text('{"common": 1, "runs": []}')
    assert look(project).runs == set()
