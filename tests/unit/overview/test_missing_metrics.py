"""Runs that finished without the metric that their experiment names."""

from pathlib import Path
from typing import Any

import run_files
from caduceus.overview.missing_metrics import without_metric
from run_files import summary as run_summary


def export(results: Path, run: str, columns: str, **summary: Any) -> None:
    folder = results / "runs" / run
    state = summary.pop("state", "finished")
    run_summary(run, state=state, summary=summary).write(folder / "run_summary.json")
    (folder / "metrics_history.csv").write_text(f"{columns}\n")


def plan(results: Path, *runs: str, metric: str | None = "val/loss") -> Path:
    path = results / "experiments/toy.json"
    wanted = metric and {"name": metric, "goal": "minimize"}
    run_files.plan(dict.fromkeys(runs), metric=wanted).write(path)
    return path


def test_runs_without_it_are_named_with_what_they_logged(tmp_path: Path) -> None:
    export(tmp_path, "a", "_step,val/loss", **{"val/loss": 1})
    export(tmp_path, "b", "_step,system/cpu,val/los", **{"val/los": 1, "_runtime": 3})
    export(tmp_path, "c", "_step,val/los")
    export(tmp_path, "d", "_step", state="failed")
    assert without_metric(plan(tmp_path, *"abcd")) == (
        "without val/loss, the metric of toy: 2 finished runs, such as b; logged are: val/los; "
        "did you mean 'val/los'?"
    )
    export(tmp_path, "e", "_step")
    assert str(without_metric(plan(tmp_path, "e"))).endswith("such as e; nothing is logged")


def test_where_all_have_it_or_none_is_named_nothing_is_said(tmp_path: Path) -> None:
    export(tmp_path, "a", "_step", **{"val/loss": 1})  # set by hand
    export(tmp_path, "b", r"_step,val\.loss")
    assert without_metric(plan(tmp_path, "a")) is None
    assert without_metric(plan(tmp_path, "b", metric="val.loss")) is None
    assert without_metric(plan(tmp_path, "a", "b", metric=None)) is None
