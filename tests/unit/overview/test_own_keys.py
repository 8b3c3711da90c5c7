"""Parameters that are named like keys of Caduceus are shown, the keys themselves aren't."""

from pathlib import Path

from caduceus.overview.mcp.toolbox import tools
from exported_runs import export_runs
from projects import Project


def test_parameters_named_like_our_keys_are_shown(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    matrix = {"experiment": ["a", "b"], "hypothesis": ["x", "y"], "baseline": ["p", "q"]}
    project.change("experiments/toy.yaml", matrix=matrix, seeds=[0, 1], baseline=None)
    export_runs(project, lambda parameters, seed: [{"val/accuracy": seed}])
    asked = {tool.__name__: tool for tool in tools(project.path / "results")}
    runs = asked["query_runs"]()
    shown = {name for name in runs["columns"] if name.startswith("config.")}
    assert shown == {"config.experiment", "config.hypothesis", "config.baseline"}
    first, last = runs["rows"][0], runs["rows"][-1]
    differing = asked["compare_runs"](runs=[first[0], last[0]])["parameters_that_differ"]
    assert set(differing) <= set(matrix) and differing


def test_our_own_keys_are_no_parameters(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    project.change("experiments/toy.yaml", matrix={"rate": [0.1]}, seeds=[0], baseline=None)
    text = (project.path / "experiments/toy.yaml").read_text()
    project.write("experiments/other.yaml", text)
    changed = {"id": "other", "hypothesis": "Another one.", "matrix": {"rate": [0.2]}}
    project.change("experiments/other.yaml", **changed)
    project.change("config.yaml", experiments=["experiments/toy.yaml", "experiments/other.yaml"])
    export_runs(project, lambda parameters, seed: [{"val/accuracy": seed}])
    asked = {tool.__name__: tool for tool in tools(project.path / "results")}
    runs = asked["query_runs"]()
    assert {name for name in runs["columns"] if name.startswith("config.")} == {"config.rate"}
    found = asked["compare_runs"](runs=[row[0] for row in runs["rows"]])
    assert set(found["parameters_that_differ"]) == {"rate"}
