"""`caduceus try` by the workflow: kept, discarded and undecided edits, and a kill between."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from answer_schemas import check
from caduceus.io.csv_rows import read_rows
from caduceus.runs.files.train import Train
from caduceus.runs.files.tries import LedgerFolder
from projects import EXPORTS, Finished, Project, end, wait_for

SNAKEFILE = """\
from caduceus import SNAKEFILE
configfile: "config.yaml"
module caduceus:
    snakefile: SNAKEFILE
    config: config
use rule * from caduceus
"""
PROGRAM = """\
import argparse
import random

import wandb

GAIN = 0.0
BONUS = 0.0
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
seed = parser.parse_args().seed
noise = random.Random(f"{seed} {GAIN}").gauss(0, 0.004) + random.Random(seed).gauss(0, 0.01)
run = wandb.init()
run.log({"acc": 0.7 + GAIN + BONUS + noise})
run.finish()
"""
EXPERIMENT = {
    "id": "toy",
    "type": "baseline",
    "program": "experiments/train.py",
    "seeds": [0, 1],
    "metric": {"name": "acc"},
    "preload": ["wandb"],
}
CONFIG = {
    "experiments": ["experiments/toy.yaml"],
    "wandb": {"project": "tests"},
    "paper": {"tables": {"accuracy": {"metrics": {"accuracy": "acc"}}}},
}
# A level at which five pairs can show something, since each of their runs takes a second.
SETTINGS = {"experiment": "experiments/toy.yaml", "level": 0.4, "budget": 5}


def attempt(project: Project, *words: str) -> Finished:
    return project.caduceus("try", *words, "--cores", "2")


def answer_of(finished: Finished) -> Any:
    """The JSON object, after what Snakemake has printed on standard error."""
    text = finished.output
    return check("try", json.loads(text[text.index("{\n") : text.rindex("}") + 1]))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Finished]:
    """A project with an edit that was kept, by a try that was killed once."""
    project = Project(tmp_path_factory.mktemp("try") / "project")
    project.write("Snakefile", SNAKEFILE)
    project.write("experiments/train.py", PROGRAM)
    project.write_yaml("experiments/toy.yaml", EXPERIMENT)
    project.write_yaml("experiments/toy.try.yaml", SETTINGS)
    project.write_yaml("config.yaml", CONFIG)
    project.snakemake(*EXPORTS).check()
    project.replace("experiments/train.py", "GAIN = 0.0", "GAIN = 0.05")
    command = (sys.executable, "-m", "caduceus", "try", "a gain", "--cores", "2")
    process = project.begin(*command)
    wait_for(lambda: len([*project.path.glob("results/runs/*/train.json")]) > 2)
    process.kill()
    end(process)  # once the Snakemake that it had started has ended
    return project, attempt(project, "a gain")


def test_a_killed_try_goes_on_until_it_is_kept(kept: tuple[Project, Finished]) -> None:
    project, finished = kept
    assert finished.code == 0, finished.output
    line = finished.line("try 1 kept")
    assert "acc is better by 0.0" in line
    assert "on 5 fresh seeds (" in line
    [tried] = LedgerFolder(project.path / "results/tries/toy").tries()
    assert len(tried.trained) == 2 * (len(tried.seeds) + 5) - 2  # the incumbent had run on two
    for run in project.runs:
        train = Train.read(run / "train.json")
        assert [each.state for each in train.attempts] == ["finished"], run


def test_the_same_edit_starts_nothing(kept: tuple[Project, Finished]) -> None:
    project, first = kept
    again = attempt(project, "a gain")
    assert again.code == 0
    assert again.output == f"{first.line('try 1 kept')} (decided before)\n"


def test_other_edits_are_discarded_or_undecided(
    kept: tuple[Project, Finished], tmp_path: Path
) -> None:
    project = kept[0].copy(tmp_path / "copy")
    project.replace("experiments/train.py", "BONUS = 0.0", "BONUS = -0.01")
    discarded = attempt(project, "a loss", "--json")
    assert discarded.code == 4
    found = answer_of(discarded)
    assert (found["number"], found["verdict"]) == (2, "discarded")
    assert found["result"]["effect"] == pytest.approx(-0.01)
    project.replace("experiments/train.py", "BONUS = -0.01", "BONUS = 0.01")
    undecided = attempt(project, "the same gain with each seed")
    assert undecided.code == 5
    assert "all seeds show the same difference" in undecided.line("try 3 undecided")
    rows = read_rows(project.path / "results/tries/toy/tries.csv")
    assert [row["verdict"] for row in rows] == ["kept", "discarded", "undecided"]


def test_tables_show_the_listed_seeds_alone(kept: tuple[Project, Finished], tmp_path: Path) -> None:
    project = kept[0].copy(tmp_path / "copy")
    finished = project.snakemake().check()
    assert "train" not in finished.jobs  # those of the listed seeds have run
    provenance = project.read_json("results/paper/provenance.json")
    [cell] = provenance["items"]["tables/accuracy"]["cells"].values()
    assert len(cell["runs"]) == 2
    page = (project.path / "results/report/index.html").read_text()
    assert '<h2 id="tries-title">Tries</h2>' in page
    parts = project.read_json("results/paper/compute.json")["parts"]
    [tried] = LedgerFolder(project.path / "results/tries/toy").tries()
    # Of the 2 * (n + 5) runs behind it, two are those that the table shows.
    assert (parts["reported"]["runs"], parts["try"]["runs"]) == (2, 2 * (len(tried.seeds) + 5) - 2)
