"""Two users of a group work in one folder, whatever their umasks are: ann by 077, ben by 022."""

import contextlib
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from caduceus.runs.files.train import Train
from projects import EXPERIMENT, ONE_RUN, REPOSITORY, Project, wait_for
from two_users import GROUP, begin_as, open_folder, processes_of, run_as, shared_project

BUILD = ("snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "2")
ANN, BEN = ("ann", "077"), ("ben", "022")
PROGRAM = """
import os
import time
from pathlib import Path

import wandb

project = Path(os.environ["CADUCEUS_PROJECT_DIR"])
run = wandb.init()
saved = Path(os.environ["CADUCEUS_CHECKPOINT_DIR"], "step")
start = int(saved.read_text()) if saved.exists() else 0
for step in range(start, 6):
    run.log({"val/accuracy": step / 8, "val/loss": 1.0}, step=step)
    saved.write_text(str(step + 1))
    while step == 2 and not (project / "go").exists():
        time.sleep(0.05)
model = Path(os.environ["CADUCEUS_OUTPUT_DIR"], "model.txt")
model.write_text("0")
model.chmod(0o600)  # as `tempfile` makes it
run.finish()
"""


@pytest.fixture
def shared() -> Iterator[Project]:
    with shared_project() as project:
        project.write("experiments/train.py", PROGRAM)
        one = {**EXPERIMENT, **ONE_RUN, "parameters": {}, "matrix": {}}
        project.write_yaml(
            "experiments/toy.yaml", one | {"command": ["${interpreter}", "${program}"]}
        )
        open_folder(project.path)
        yield project


def closed(folder: Path) -> list[Path]:
    """Files that the group can't read, and folders in which it can't replace files."""
    found = []
    for path in (folder, *folder.rglob("*")):
        status = path.lstat()
        needed = 0o070 if path.is_dir() else 0o040
        if not stat.S_ISLNK(status.st_mode):
            assert status.st_gid == GROUP
            found += [] if status.st_mode & needed == needed else [path]
    return found


def test_what_one_user_makes_another_replaces_and_goes_on_with(shared: Project) -> None:
    working = begin_as(shared, *ANN, *BUILD)
    wait_for(lambda: list(shared.path.glob("results/runs/*/work/checkpoints/step")))
    wait_for(lambda: shared.runs[0].joinpath("work/checkpoints/step").read_text() == "3")
    refused = run_as(shared, *BEN, "caduceus", "unlock")
    assert "Snakemake already runs here" in refused.line("caduceus unlock")
    assert "1 running" in run_as(shared, *BEN, "caduceus", "status").check().output
    while pids := processes_of("ann"):  # killed with all that it has started
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda gone=pids: not {*gone} & {*processes_of("ann")})
    working.communicate()

    shared.write("go", "")
    run_as(shared, *BEN, *BUILD).check()
    run = shared.runs[0]
    train = Train.read(run / "train.json")
    assert [each.state for each in train.attempts] == ["interrupted", "finished"]
    assert train.attempts[1].resumed_from == 3
    assert closed(shared.path / "results") == []
    assert (run / "train.json").stat().st_uid != (run / "params.json").stat().st_uid

    # Ann, who made none of the exports, makes all of them again.
    shared.change("experiments/toy.yaml", tags=["new"])
    open_folder(shared.path / "experiments")
    done = run_as(shared, *ANN, *BUILD).check()
    assert "export_run" in done.output
    assert (run / "manifest.json").stat().st_uid == (run / "params.json").stat().st_uid
    assert closed(shared.path / "results") == []
    assert "Nothing to be done" in run_as(shared, *BEN, *BUILD).check().output
