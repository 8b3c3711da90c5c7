"""Secret parameters are in no answer of `caduceus mcp`, whatever is named by them."""

import json
from pathlib import Path

from caduceus.overview.mcp.toolbox import tools
from exported_runs import export_runs
from projects import Project

KEYS = ['sk-first "quoted", and long', "sk-second/long"]


def test_variants_and_names_of_runs_hide_them(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    project.change("experiments/toy.yaml", matrix={"apiKey": KEYS, "rate": [0.1]}, seeds=[0, 1])
    export_runs(project, lambda parameters, seed: [{"val/accuracy": parameters["rate"] + seed}])
    asked = {tool.__name__: tool for tool in tools(project.path / "results")}
    runs = asked["query_runs"](columns=["run", "name", "variant", "config.apiKey"])
    answers = [
        runs,
        asked["compare_groups"](metric="val/accuracy"),
        asked["compare_runs"](runs=[row[0] for row in runs["rows"]]),
        *(asked["lineage"](of=row[0]) for row in runs["rows"]),
        asked["probe"](),
    ]
    text = json.dumps(answers)
    assert runs["total"] == 4 and "[apiKey, not shown]" in text
    assert "sk-first" not in text and "sk-second" not in text
