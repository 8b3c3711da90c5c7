"""Runs whose W&B folder lies on a disk of the host while they train."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from caduceus.exports.equality import differences
from caduceus.runs.attempts import read_attempts
from caduceus.wandb_log import LogError, read_log
from projects import EXPORTS, ONE_RUN, Project, end_group, start_snakemake, wait_for

LOGS_FILES = """
import numpy
run.log({"picture": wandb.Image(numpy.zeros((4, 4, 3), "uint8"))})
notes = output / "notes.txt"
notes.write_text("staged")
artifact = wandb.Artifact("notes", "results")
artifact.add_file(str(notes))
run.log_artifact(artifact)
notes.write_text("changed since")
run.finish()
"""
HANGS = """
import time
while Path(os.environ["CADUCEUS_PROJECT_DIR"], "hang").exists():
    time.sleep(0.1)
run.finish()
"""


def on_disk(project: Project, disk: Path, end: str) -> Project:
    """A project of one run, on a disk of the host."""
    disk.mkdir()
    project.change("experiments/toy.yaml", **ONE_RUN)
    project.change("config.yaml", wandb={"project": "tests", "scratch": "$HOST_DISK"})
    project.replace("experiments/train.py", "run.finish()\n", end)
    return project


def test_artifacts_and_media_are_the_same_and_nothing_is_left_there(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    on_the_disk = on_disk(Project.create(tmp_path / "there"), disk, LOGS_FILES)
    at_home = on_disk(Project.create(tmp_path / "here"), tmp_path / "unused", LOGS_FILES)
    at_home.change("config.yaml", wandb={"project": "tests"})
    for project in (at_home, on_the_disk):
        project.snakemake(*EXPORTS, HOST_DISK=str(disk)).check()

    assert list(disk.iterdir()) == []
    ((here,), (there,)) = (at_home.runs, on_the_disk.runs)
    (attempt,) = read_attempts(there / "work/attempts")
    assert attempt.scratch.startswith(str(disk))
    assert len([*(there / "media").rglob("*.png")]) == 1
    assert (there / "artifacts/notes/notes.txt").read_text() == "staged"
    assert differences(here, there, with_times=False) == []
    # As somebody would who has only W&B's folder.
    exported = on_the_disk.caduceus("export", str(there / "work/wandb/1"), "--out", "loose").check()
    assert "missing" not in exported.output
    loose = on_the_disk.path / f"loose/runs/{there.name}/artifacts/notes/notes.txt"
    assert loose.read_text() == "staged"


def hang(project: Project, disk: Path) -> "subprocess.Popen[bytes]":
    """Start Snakemake, and wait until what the program logged is at home while it runs on."""
    project.write("hang", "")
    process = start_snakemake(project, HOST_DISK=str(disk))

    def has_rows() -> bool:
        logs = project.path.glob("results/runs/*/work/wandb/1/wandb/*/*.wandb")
        try:
            return any(len(read_log(log).history) >= 4 for log in logs)
        except LogError:  # it has just begun
            return False

    wait_for(has_rows)
    return process


def test_a_run_that_is_stopped_comes_home(project: Project, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    process = hang(on_disk(project, disk, HANGS), disk)
    try:
        assert len(list(disk.iterdir())) == 1
        os.killpg(process.pid, signal.SIGINT)
        process.wait(300)
    finally:
        end_group(process.pid)
    assert list(disk.iterdir()) == []
    (run,) = project.runs
    assert read_attempts(run / "work/attempts")[0].state == "interrupted"
    (log,) = (run / "work/wandb/1/wandb/latest-run").glob("*.wandb")
    assert len(read_log(log).history) >= 4


def test_what_a_killed_supervisor_left_is_brought_home_by_the_next(
    project: Project, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    process = hang(on_disk(project, disk, HANGS), disk)
    for victim in [*psutil.Process(process.pid).children(recursive=True), process]:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended with one killed before
            victim.kill()
    process.wait()
    (private,) = disk.iterdir()
    (run,) = project.runs
    (private / run.name / "work/wandb/1/mark").write_text("written last")

    (project.path / "hang").unlink()
    project.caduceus("unlock").check()
    project.snakemake("--rerun-incomplete", "--until", "train", HOST_DISK=str(disk)).check()
    assert (run / "work/wandb/1/mark").read_text() == "written last"
    assert list(disk.iterdir()) == []
    states = [attempt.state for attempt in read_attempts(run / "work/attempts")]
    assert states == ["interrupted", "finished"]


@pytest.mark.parametrize("variables", [{}, {"HOST_DISK": "/proc"}], ids=["unset", "unwritable"])
def test_a_disk_that_cannot_be_had_is_one_line_before_training(
    project: Project, tmp_path: Path, variables: dict[str, str]
) -> None:
    finished = on_disk(project, tmp_path / "disk", HANGS).snakemake(**variables)
    assert finished.code == 1
    line = finished.line("caduceus train: config.yaml: wandb.scratch: ")
    assert ("$HOST_DISK isn't set on" if not variables else "/proc on ") in line
    (run,) = project.runs
    assert read_attempts(run / "work/attempts") == []
