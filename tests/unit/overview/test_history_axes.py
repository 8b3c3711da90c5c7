"""An assistant gets the axis that the program declared for a metric."""

from dataclasses import replace

from caduceus.overview.mcp.comparisons import compare_groups
from caduceus.overview.mcp.histories import get_history
from caduceus.runs.files.export import Summary
from exported_runs import export_runs
from figure_exports import define_axes
from projects import Project


def test_a_metric_comes_with_its_axis(project: Project) -> None:
    rows = [{"global_step": 10, "return": 1.5}, {"global_step": 20}, {"loss": 3}]
    export_runs(project, lambda parameters, seed: rows)
    define_axes(project, {"return": "global_step", "loss": "never logged"})
    results, run = project.path / "results", project.runs[0].name
    found = get_history(results, run, ["return"])
    assert (found["columns"], found["axes"]) == (
        ["_step", "global_step", "return"],
        {"return": "global_step"},
    )
    assert found["rows"] == [[0, 10, 1.5]]
    assert found["summary"].keys() == {"return"}
    assert found["other_metrics"] == ["loss"]
    assert "axes" not in get_history(results, run, ["loss"])


def test_the_axis_of_a_failed_run_refuses_no_comparison(project: Project) -> None:
    project.change("experiments/toy.yaml", seeds=[0, 1, 2])
    export_runs(
        project,
        lambda parameters, seed: [
            {"global_step": at, "return": at + seed + parameters["rate"]} for at in (0, 10, 20)
        ],
    )
    define_axes(project, {"return": "global_step"})
    failed = project.runs[0] / "run_summary.json"
    replace(Summary.read(failed), state="failed", defined_metrics=None).write(failed)
    answer = compare_groups(
        project.path / "results", "return", experiment="toy", goal="maximize", at=15
    )
    assert sorted(row["n"] for row in answer["variants"]) == [2, 3]
    assert answer["left_out"] == {"failed": 1}
