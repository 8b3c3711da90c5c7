"""Notes on finished runs."""

from pathlib import Path
from typing import Any

import run_files
from caduceus.overview.run_notes import Note, plan_warnings, run_notes
from caduceus.runs.files.attempt import LeftFiles, StartedRun
from caduceus.runs.files.export import ChangedParameter, DroppedRows, Manifest
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from caduceus.runs.training_notes import started_note


def ended(results: Path, run: str, state: str = "finished", **values: Any) -> RunRecord:
    """A run that has ended, whose last attempt has these values."""
    folder = RunFolder(results / "runs" / run)
    logged = values.pop("summary", {"_step": 3})
    started_at = values.pop("at", "2026-01-01T00:00:00+00:00")
    about = {"variant": "default", "seed": 0, "state": state, "started_at": started_at}
    run_files.summary(run, summary=logged, **about).write(folder.summary_json)
    run_files.train(run, run_files.attempt(state=state, **values)).write(folder.train_json)
    return RunRecord(folder)


def test_runs_without_data_are_counted_with_a_reason(tmp_path: Path) -> None:
    silent = ended(tmp_path, "a", summary={}, at=None, untracked="wandb is disabled in it")
    older = ended(tmp_path, "b", summary={}, at=None)
    only_values = ended(tmp_path, "c", summary={"accuracy": 1})
    empty = ended(tmp_path, "d", summary={"_wandb": {"runtime": 1}})
    assert list(run_notes([only_values], None)) == []
    start = "finished run without any data, such as default seed 0: "
    assert list(run_notes([silent], None)) == [
        Note("untracked", f"1 {start}wandb is disabled in it"),
    ]
    assert list(run_notes([older], None)) == [Note("untracked", f"1 {start}it has no log")]
    (both,) = run_notes([empty, silent], None)
    assert both.text.startswith("2 finished runs without any data") and "neither" in both.text


def test_the_last_job_warns_without_a_metric_too(tmp_path: Path) -> None:
    ended(tmp_path, "a", summary={}, at=None, untracked="it is silent")
    ended(tmp_path, "b", state="failed", summary={}, at=None, untracked="the logs are elsewhere")
    path = tmp_path / "experiments/toy.json"
    run_files.plan(dict.fromkeys("ab"), metric=None).write(path)
    assert plan_warnings(path, None) == [
        "untracked: toy: 1 finished run without any data, such as default seed 0: it is silent"
    ]


def started(number: int, pid: int, **values: Any) -> StartedRun:
    given: dict[str, Any] = {"name": f"fold {number}", "is_first_process": False}
    return StartedRun(number=number, pid=pid, **given | values)


def test_further_runs_and_files_are_told_once(tmp_path: Path) -> None:
    runs = (started(1, 10, name="mean", is_own=True, is_first_process=True), started(2, 11))
    left = LeftFiles(files=("a.pt", "b.pt", "c.pt"), count=4, bytes=12_345_678)
    records = [ended(tmp_path, name, started_runs=runs, left_files=left) for name in "ab"]
    further, kept = run_notes(records, None)
    assert further.kind == "further" and further.text == (
        "default seed 0: 2 runs started; this one is 'mean', that of the program itself, process "
        "10; further: 'fold 2' of process 11; 1 more run like this"
    )
    assert kept.text.startswith("default seed 0: 4 files (12.3 MB) only in work/code, ")
    assert "a.pt, b.pt, c.pt and 1 more" in kept.text


def test_changed_parameters_and_dropped_rows_are_told(tmp_path: Path) -> None:
    record = ended(tmp_path, "a")
    changed = {"batch_size": ChangedParameter(64, 32), "name": ChangedParameter("a", None)}
    dropped = DroppedRows(rows=6, metrics={"val/acc": 6}, lost=("val/acc",))
    Manifest(run="a", files={}, changed_parameters=changed, dropped_rows=dropped).write(
        record.folder.manifest_json
    )
    assert list(run_notes([record], None)) == [
        Note(
            "changed",
            "default seed 0: the program reported, and the export has, batch_size 32 in place of "
            "64, name null in place of a",
        ),
        Note(
            "dropped",
            "default seed 0: W&B dropped 6 rows whose step went back, and all values of val/acc: "
            "log these without `step=`, and their own step as a metric (`run.define_metric(NAME, "
            "step_metric=STEP)`)",
        ),
    ]


def test_rank_0_and_stand_ins_are_named() -> None:
    ranked = started(1, 7, is_own=True, command="train.py --lr=1")
    assert started_note([ranked, started(2, 7, name=None)]) == (
        "2 runs started; this one is 'fold 1', that of rank 0, process 7 (train.py --lr=1); "
        "further: number 2 of the same process"
    )
    stand_in = started_note([started(2, 8, is_own=True), started(3, 9)])
    assert stand_in == (
        "2 runs started; this one is 'fold 2', that of process 8, as the program itself logged "
        "nothing; further: 'fold 3' of process 9"
    )
