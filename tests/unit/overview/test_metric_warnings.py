"""A metric that no run has logged so far is said before anything is trained."""

from collections.abc import Mapping
from typing import Any

import pytest
from caduceus.overview.metric_warnings import metric_warnings
from exported_runs import export_runs, load
from projects import Project

PAPER: dict[str, Any] = {
    "tables": {"t": {"metrics": {"a": "acc", "b": "ac", "c": {"name": "los", "at": 3}}}},
    "figures": {
        "f": {"kind": "curves", "metrics": {"a": "acc"}},
        "chart": {"kind": "confusion", "metrics": {"a": "chart"}},
    },
    "claims": {
        "c": {
            "statement": "So it is.",
            "at_least": {"variant": {"rate": 0.1}, "metric": "acc.", "value": 1},
        }
    },
}


@pytest.mark.parametrize("is_finished", [True, False])
def test_a_metric_is_named_that_no_finished_run_has_logged(
    project: Project, is_finished: bool
) -> None:
    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]] | None:
        return [{"acc": 1, "loss": 2}] if is_finished else None

    project.change("config.yaml", paper=PAPER)
    export_runs(project, logged)
    (project.runs[0] / "run_summary.json").write_text("{")
    lines = list(metric_warnings(load(project), project.path / "results"))
    said = "so far no run logged metric"
    expected = [
        f"paper.tables.t: metrics.b: {said} 'ac'; logged are: acc, loss; did you mean 'acc'?",
        f"paper.tables.t: metrics.c: {said} 'los'; logged are: acc, loss; did you mean 'loss'?",
        f"paper.claims.c: metrics.acc.: {said} 'acc.'; logged are: acc, loss; did you mean 'acc'?",
    ]
    assert lines == (expected if is_finished else [])


def test_axes_and_what_chooses_a_row_are_named_too(project: Project) -> None:
    best = {"name": "acc", "best_by": {"name": "los", "goal": "minimize"}}
    metrics = {"a": best, "b": {"name": "acc", "at": {"epo": 3}}, "c": {"name": "acc", "at": 2}}
    curves = {"kind": "curves", "metrics": {"a": "acc"}}
    figures = {"f": curves | {"axis": "epo"}, "g": curves | {"axis": "_runtime"}}
    project.change("config.yaml", paper={"tables": {"t": {"metrics": metrics}}, "figures": figures})
    export_runs(project, lambda parameters, seed: [{"acc": 1, "loss": 2, "epoch": 3}])
    lines = list(metric_warnings(load(project), project.path / "results"))
    keys = [line.partition(": so far no run logged metric ")[::2] for line in lines]
    assert [(key, said.partition(";")[0]) for key, said in keys] == [
        ("paper.tables.t: metrics.a.best_by", "'los'"),
        ("paper.tables.t: metrics.b.at", "'epo'"),
        ("paper.figures.f: axis", "'epo'"),
    ]


def test_before_the_first_run_nothing_is_said(project: Project) -> None:
    project.change("config.yaml", paper=PAPER)
    assert list(metric_warnings(load(project), project.path / "results")) == []
