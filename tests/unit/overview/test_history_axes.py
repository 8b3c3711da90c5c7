"""An assistant gets the axis that the program declared for a metric."""

from caduceus.overview.mcp.histories import get_history
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
