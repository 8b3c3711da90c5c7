"""The classifiers of experiments/ucr, on datasets that packages ship."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from projects import REPOSITORY, Project

FOLDER = REPOSITORY / "experiments/ucr"
CONFIG: dict[str, Any] = yaml.safe_load((FOLDER / "config.yaml").read_text())
PUBLISHED = {
    tuple(each["parameters"].values()): each["value"]
    for each in CONFIG["paper"]["tables"]["accuracy"]["published"]
}


def copy(folder: Path) -> Project:
    ignored = shutil.ignore_patterns("results", ".snakemake", "__pycache__")
    shutil.copytree(FOLDER, folder, ignore=ignored)
    return Project(folder)


def cells(project: Project) -> Iterator[tuple[str, str, float]]:
    """Classifier, dataset and accuracy of our rows in the table."""
    table = project.read_json("results/paper/tables/accuracy.json")
    for row in table["rows"]:
        for heading, cell in row["cells"].items():
            if cell.get("value") is not None:
                yield row["labels"][0], heading, cell["value"]


def test_the_nearest_neighbour_on_the_data_has_the_published_accuracy(tmp_path: Path) -> None:
    """It has no chance and no settings, so that another accuracy would mean other data."""
    subprocess.run([sys.executable, FOLDER / "make_ucr.py", tmp_path], check=True)
    for name in ("ArrowHead", "GunPoint", "ItalyPowerDemand", "OSULeaf", "Trace"):
        x, y, test_x, test_y = (
            np.load(tmp_path / f"{name}_{split}_{part}.npy")
            for split in ("train", "test")
            for part in "xy"
        )
        distances = ((test_x[:, None] - x) ** 2).sum(axis=2)
        accuracy = 100 * float((y[distances.argmin(axis=1)] == test_y).mean())
        assert accuracy == pytest.approx(PUBLISHED["nearest_neighbour", name], abs=0.005)


def test_a_share_of_the_runs_makes_the_table_over_tasks(tmp_path: Path) -> None:
    project = copy(tmp_path / "ucr")
    tasks = ["GunPoint", "ItalyPowerDemand"]
    matrix = {"classifier": ["nearest_neighbour", "decision_tree"], "dataset": tasks}
    project.change("ucr.yaml", matrix=matrix, seeds=[0])
    paper = {"tables": CONFIG["paper"]["tables"]}  # the others want all runs
    project.change("config.yaml", paper=paper)
    project.snakemake("results/paper/tables/accuracy.csv").check()

    text = (project.path / "results/paper/tables/accuracy.md").read_text()
    assert "nearest_neighbour (published)" in text
    found = {(label, task): value for label, task, value in cells(project)}
    for task in tasks:
        value = PUBLISHED["nearest_neighbour", task]
        assert found["nearest_neighbour", task] == pytest.approx(value, abs=0.005)
        assert found["decision_tree", task] == pytest.approx(
            PUBLISHED["decision_tree", task], abs=5
        )


@pytest.mark.soak
def test_all_runs_are_near_the_published_values_and_decide_the_claims(tmp_path: Path) -> None:
    project = copy(tmp_path / "ucr")
    project.snakemake().check()

    found = {(label, task): value for label, task, value in cells(project)}
    for key, value in PUBLISHED.items():
        assert found[key] == pytest.approx(value, abs=6)
    claims = project.read_json("results/paper/claims.json")["claims"]
    assert {claim["verdict"] for claim in claims} == {"supported"}
    figure = project.read_json("results/paper/figures/ranks.json")
    [panel] = figure["numbers"]["panels"]
    assert len(panel["tasks"]) == 6
    assert panel["friedman_p"] < 0.05
