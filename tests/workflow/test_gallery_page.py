"""The projects that the gallery's page shows, and what it says of them."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from projects import EXPORTS, REPOSITORY, Project

PAGE = (REPOSITORY / "docs/gallery.md").read_text()
RUNS = {"char_lm": 24, "cartpole": 24, "classifiers": 250}
# Parameters with which a run takes seconds, and what it must log.
TINY: dict[str, tuple[dict[str, Any], str]] = {
    "char_lm": ({"methods": {"gpt": {"model": "gpt", "steps": 2}}}, "val/loss"),
    "cartpole": ({"parameters": {"total_steps": 1024}, "matrix": {}}, "episode/return"),
    "classifiers": ({"matrix": {"dataset": ["iris"]}}, "test/accuracy"),
}


NEEDED = {"char_lm": "torch", "cartpole": "gymnasium", "classifiers": "sklearn"}


def copy(name: str, folder: Path) -> Project:
    ignored = shutil.ignore_patterns("results", ".snakemake", "__pycache__")
    shutil.copytree(REPOSITORY / "experiments" / name, folder / name, ignore=ignored)
    return Project(folder / name)


def shown(name: str) -> dict[str, str]:
    """The verdicts on the page, by the statement of each claim of a project's paper."""
    claims = yaml.safe_load((REPOSITORY / "experiments" / name / "paper.yaml").read_text())[
        "claims"
    ]
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \|", PAGE, re.MULTILINE)
    verdicts = {statement: verdict for verdict, statement in rows}
    return {claim["statement"]: verdicts[claim["statement"]] for claim in claims.values()}


@pytest.mark.parametrize("name", RUNS)
def test_a_project_of_the_gallery_is_planned_as_the_page_says(name: str, tmp_path: Path) -> None:
    project = copy(name, tmp_path)
    assert (
        project.caduceus("build", "--cores", "2", "--dry-run").check().jobs["train"] == RUNS[name]
    )
    assert f"{RUNS[name]} runs, 0 failed" in PAGE
    assert len(shown(name)) >= 2


@pytest.mark.parametrize("name", TINY)
def test_a_short_run_of_its_program_is_tracked(name: str, tmp_path: Path) -> None:
    pytest.importorskip(NEEDED[name], reason="the program imports it")
    project = copy(name, tmp_path)
    changes, metric = TINY[name]
    project.change(f"{name}.yaml", seeds=[0], preload=[], **{"baseline": None} | changes)
    project.change("config.yaml", paper={})
    project.caduceus("build", "--cores", "2", *EXPORTS).check()
    [run] = project.runs
    summary = project.read_json(f"{run}/run_summary.json")
    assert summary["state"] == "finished"
    assert summary["summary"][metric] > 0


@pytest.mark.soak
@pytest.mark.parametrize("name", RUNS)
def test_a_whole_build_has_the_verdicts_that_the_page_shows(name: str, tmp_path: Path) -> None:
    pytest.importorskip(NEEDED[name], reason="the program imports it")
    project = copy(name, tmp_path)
    project.caduceus("build", "--cores", "2").check()
    claims = project.read_json("results/paper/claims.json")["claims"]
    assert {claim["statement"]: claim["verdict"] for claim in claims} == shown(name)
    trains = [project.read_json(f"{run}/train.json") for run in project.runs]
    assert [train["state"] for train in trains] == ["finished"] * RUNS[name]
