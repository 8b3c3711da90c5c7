"""Two copies of a project train a part each; a merge brings the results together."""

import contextlib
from pathlib import Path

import psutil
import pytest
from caduceus.runs.files.train import Train
from caduceus.wandb_log import read_log
from projects import (
    EXPERIMENT,
    EXPORTS,
    ONE_RUN,
    Project,
    end,
    end_group,
    start_snakemake,
    wait_for,
)
from sweep_projects import GRID, create

MADE_OF_SEVERAL = {  # what follows from all runs; nothing is trained or exported for it
    *("validate_spec", "export_group", "make_table", "measure_figure", "draw_figure"),
    *("sum_compute", "record_provenance", "fill_checklist", "make_report", "report_failures"),
}


def copy_without_times(source: Project, target: Path) -> Path:
    """As `cp -r` leaves it: all files get the time of the copy, in the order of the folder."""
    end(source.begin("cp", "-r", "results", str(target))).check()
    return target


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Project, Project]:
    """Two clusters, each of which has trained one of two runs."""
    here = Project.create(tmp_path / "here")
    here.change("experiments/toy.yaml", **ONE_RUN)
    there = here.copy(tmp_path / "there")
    for seed, project in enumerate((here, there)):
        project.change("experiments/toy.yaml", seeds=[seed])
        project.snakemake(*EXPORTS).check()
        project.change("experiments/toy.yaml", seeds=[0, 1])
    return here, there


def test_what_two_places_have_trained_is_brought_together(
    parts: tuple[Project, Project], tmp_path: Path
) -> None:
    here, there = parts
    copy = copy_without_times(there, tmp_path / "copy")
    assert here.planned()["train"] == 1
    assert "taken: 1" in here.caduceus("merge", str(copy)).check().output
    assert set(here.planned()) == MADE_OF_SEVERAL

    logs = {run: (run / "manifest.json").read_bytes() for run in here.runs}
    here.snakemake().check()
    assert {run: (run / "manifest.json").read_bytes() for run in here.runs} == logs
    assert here.planned() == {}
    assert "taken: 0; here already, and kept: 1" in here.caduceus("merge", str(copy)).output
    assert here.planned() == {}
    # The other way round, and by the folder of the project.
    assert "taken: 1" in there.caduceus("merge", str(here.path)).check().output
    assert set(there.planned()) == MADE_OF_SEVERAL


def test_two_trainings_of_one_run_are_equal_if_their_results_are(
    parts: tuple[Project, Project], tmp_path: Path
) -> None:
    """Trained twice from the start."""
    here, there = parts
    for project in parts:
        project.snakemake(*EXPORTS).check()
    done = here.caduceus("merge", str(there.path)).check()
    assert "here already, and kept: 2" in done.output
    assert "attempts at 2 runs" in done.output

    # One that isn't deterministic, as on other hardware, has two results.
    for project, value in zip(parts, ("0.1", "0.2"), strict=True):
        project.write("experiments/other.txt", value)
        code = "float(open('experiments/other.txt').read())"
        project.replace("experiments/train.py", "1 / (step + 1)", code)
        project.snakemake(*EXPORTS).check()
    done = here.caduceus("merge", str(there.path))
    assert done.code == 3
    assert "refused: 2" in done.output
    assert "0.1 here, 0.2 there" in done.output
    assert here.planned(*EXPORTS) == {}


def test_a_sweeps_trials_are_taken_if_both_chose_the_same(tmp_path: Path) -> None:
    config = {**GRID, "parameters": {"x": {"values": [0.2, 0.8]}}}
    here = create(tmp_path / "here", config)
    there = here.copy(tmp_path / "there")
    there.snakemake(*EXPORTS).check()
    copy = copy_without_times(there, tmp_path / "copy")
    assert "taken: 2" in here.caduceus("merge", str(copy)).check().output
    made = {"validate_spec", "export_group", "export_sweep", "report_failures", "make_report"}
    made |= {"sum_compute", "record_provenance", "fill_checklist"}
    assert set(here.planned()) == made
    here.snakemake().check()
    assert here.planned() == {}

    trial = next((copy / "sweeps").glob("*/trials/0001.json"))
    chosen = next((copy / "sweeps").glob("*/work/chosen/0001.json"))
    for path in (trial, chosen):
        path.write_text(path.read_text().replace("0.8", "0.7"))
    done = here.caduceus("merge", str(copy))
    assert done.code == 3
    assert "trial 0001 has other parameters there than here" in done.output
    assert "refused: 1" in done.output


WAITS = """
import os
import time
from pathlib import Path

import wandb

run = wandb.init()
saved = Path(os.environ["CADUCEUS_CHECKPOINT_DIR"], "step")
start = int(saved.read_text()) if saved.exists() else 0
for step in range(start, 6):
    run.log({"val/accuracy": step / 8}, step=step, commit=True)
    saved.write_text(str(step + 1))
    while step == 2 and not Path("experiments/go").exists():
        time.sleep(0.05)
run.finish()
"""


def test_an_interrupted_run_goes_on_here(tmp_path: Path) -> None:
    """Its attempt there stays that of the other place, and the run isn't trained from the start."""
    here = Project.create(tmp_path / "here")
    here.write("experiments/train.py", WAITS)
    one = {**EXPERIMENT, **ONE_RUN, "parameters": {}, "matrix": {}}
    here.write_yaml("experiments/toy.yaml", one | {"command": ["${interpreter}", "${program}"]})
    there = here.copy(tmp_path / "there")
    working = start_snakemake(there)
    wait_for(lambda: list(there.path.glob("results/runs/*/work/checkpoints/step")))
    wait_for(lambda: there.runs[0].joinpath("work/checkpoints/step").read_text() == "3")
    logs = "work/wandb/1/wandb/*run-*/run-*.wandb"
    [log] = wait_for(lambda: [log for log in there.runs[0].glob(logs) if log.stat().st_size])
    wait_for(lambda: len(read_log(log).history) == 3)  # by a process of W&B's own
    end_group(working.pid)
    working.wait()
    [run] = there.runs
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(run) in process.cwd():
                process.kill()
                process.wait()
    copy = copy_without_times(there, tmp_path / "copy")
    assert "not ended there: 1 run" in here.caduceus("merge", str(copy)).check().output
    assert "taken: 1" in here.caduceus("merge", str(copy), "--unfinished").check().output
    here.write("experiments/go", "")
    here.snakemake(*EXPORTS).check()
    train = Train.read(here.runs[0] / "train.json")
    assert [each.state for each in train.attempts] == ["interrupted", "finished"]
    assert train.attempts[1].resumed_from == 3
    rows = (here.runs[0] / "metrics_history.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["0", "1", "2", "3", "4", "5"]
