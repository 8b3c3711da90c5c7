"""A group, sweep, cost or checklist that failed writes its error in place of results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from caduceus.__main__ import main
from caduceus.analysis import load_sweep
from caduceus.errors import ResultError
from caduceus.io.csv_rows import read_rows
from caduceus.io.failed_entries import failed_entries
from caduceus.io.files import read_json, write_json
from caduceus.runs.files.trial import Trial
from caduceus.sweeps.folders import SweepFolder
from exported_runs import export_runs
from figure_exports import plans_of
from projects import EXPERIMENT, Project


def learning(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    return [{"acc": 0.5}]


def failure(project: Project, item: str) -> str:
    [failed] = failed_entries(project.path / "results", [item])
    [line] = failed.errors
    return line


def plan_words(project: Project) -> list[str]:
    return list(map(str, plans_of(project)))


def test_a_group_with_a_damaged_run_says_so_in_every_file(project: Project) -> None:
    export_runs(project, learning)
    history = project.runs[0] / "metrics_history.csv"
    content = history.read_text()
    history.write_text("_step,acc\n0\n")
    out = project.path / "results/groups/baseline/runs.csv"
    words = ["export-group", *plan_words(project), "--out", str(out)]
    assert main(words) == 0
    line = failure(project, "groups/baseline")
    assert line.startswith(f"groups/baseline: {history}: not CSV (")
    assert read_rows(out) == read_rows(out.with_name("variants.csv")) == [{"error": line}]
    assert pq.read_table(out.with_name("history.parquet")).to_pylist() == [{"error": line}]
    assert read_json(out.with_name("compute.json")) == {"error": line}

    history.write_text(content)
    assert main(words) == 0
    assert failed_entries(project.path / "results", ["groups/baseline"]) == []
    assert len(read_rows(out)) == 4


def test_without_the_cost_the_checklist_is_filled_in_and_says_so(project: Project) -> None:
    export_runs(project, learning)
    (project.runs[0] / "train.json").write_text("{")
    paper = project.path / "results/paper"
    compute = str(paper / "compute.json")
    assert main(["sum-compute", *plan_words(project), "--out", compute]) == 0
    line = failure(project, "compute")
    assert line.startswith(f"compute: {project.runs[0]}/train.json: not JSON")
    assert (
        read_rows(paper / "compute.csv") == read_rows(paper / "attempts.csv") == [{"error": line}]
    )
    assert r"\textbf{The sum of the compute failed:}" in (paper / "compute.tex").read_text()

    items = paper / "figures/f.json"
    write_json(items, {"runs": [project.runs[0].name]})
    words = [str(items), "--metrics", "{}", "--out", str(paper / "provenance.json")]
    assert main(["record-provenance", *words]) == 0
    assert "train.json: not JSON" in failure(project, "provenance")
    provenance = str(paper / "provenance.json")
    words = [
        "--datasets",
        "--tables",
        "--compute",
        compute,
        "--provenance",
        provenance,
        "--out",
        str(paper / "checklist.md"),
    ]
    assert main(["fill-checklist", *plan_words(project), *words]) == 0
    checklist = (paper / "checklist.md").read_text()
    assert "- Failed: compute: " in checklist
    assert "- Failed: provenance: " in checklist
    assert failed_entries(project.path / "results", ["checklist"]) == []

    Path(compute).write_text("{")
    assert main(["fill-checklist", *plan_words(project), *words]) == 0
    assert (paper / "checklist.md").read_text().startswith("**Failed:** checklist: ")


def test_a_sweep_whose_metric_no_trial_logs_has_its_tables_and_says_so(project: Project) -> None:
    space = {"rate": {"values": [0.1, 0.2]}}
    config = {"method": "grid", "parameters": space, "metric": {"name": "ac", "goal": "maximize"}}
    spec = {key: value for key, value in EXPERIMENT.items() if key not in ("matrix", "metric")}
    spec |= {"type": "sweep", "seeds": [0], "sweep": {"config": config}}
    project.write_yaml("experiments/toy.yaml", spec)
    project.change("config.yaml", paper={})
    chosen = {"0000": {"rate": 0.1}, "0001": {"rate": 0.2}}
    [experiment] = export_runs(project, learning, chosen).experiments.values()
    assert experiment.sweep
    folder = SweepFolder(project.path / "results/sweeps" / experiment.sweep.id)
    experiment.sweep.plan.write(folder.plan)
    for number, (name, parameters) in enumerate(chosen.items()):
        Trial(trial=number, parameters=parameters).write(folder.trial(name))
    out = folder.path / "trials.csv"
    item = f"sweeps/{folder.path.name}"

    assert main(["export-sweep", *plan_words(project), "--out", str(out)]) == 0
    said = "no run logged metric 'ac'; logged are: acc; did you mean 'acc'?"
    assert failure(project, item) == f"{item}: {said}"
    assert [row["state"] for row in read_rows(out)] == ["finished", "finished"]
    assert read_json(folder.path / "best.json") is None
    assert (folder.path / "figures/history.pdf").exists()

    folder.trial("0001").write_text("{")
    assert main(["export-sweep", *plan_words(project), "--out", str(out)]) == 0
    assert "0001.json: not JSON" in failure(project, item)
    with pytest.raises(ResultError, match="not JSON"):
        load_sweep(project=project.path)
