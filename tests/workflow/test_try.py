"""`caduceus try` by the workflow: kept, discarded and undecided edits, and a kill between."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from answer_schemas import check
from caduceus.io.csv_rows import read_rows
from caduceus.runs.files.train import Train
from caduceus.runs.files.tries import LedgerFolder
from projects import EXPORTS, SNAKEFILE, Finished, Project, end, wait_for

PROGRAM = """\
import argparse
import os
import random
import time
from pathlib import Path

GAIN = 0.0
BONUS = 0.0
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
seed = parser.parse_args().seed
if waits := os.environ.get("WAITS"):  # a folder in which the file `go` ends the wait
    Path(waits, f"begun-{seed}").touch()
    while not Path(waits, "go").exists():
        time.sleep(0.05)
import wandb
from caduceus import tracking  # so that no second process of wandb logs the artifacts

noise = random.Random(f"{seed} {GAIN}").gauss(0, 0.004) + random.Random(seed).gauss(0, 0.01)
with tracking.start():
    wandb.log({"acc": 0.7 + GAIN + BONUS + noise})
"""
EXPERIMENT = {
    "id": "toy",
    "type": "baseline",
    "program": "experiments/train.py",
    "seeds": [0, 1],
    "metric": {"name": "acc"},
}
CONFIG = {
    "experiments": ["experiments/toy.yaml"],
    "wandb": {"project": "tests"},
    "paper": {"tables": {"accuracy": {"metrics": {"accuracy": "acc"}}}},
}
# A level at which five pairs can show something, since each of their runs takes a second.
SETTINGS = {"experiment": "experiments/toy.yaml", "level": 0.4, "budget": 5}

COMMAND = (sys.executable, "-m", "caduceus", "try", "a gain", "--cores", "2")


def attempt(project: Project, *words: str) -> Finished:
    return project.caduceus("try", *words, "--cores", "2")


def answer_of(finished: Finished) -> Any:
    """The JSON object, after what Snakemake has printed on standard error."""
    text = finished.output
    return check("try", json.loads(text[text.index("{\n") : text.rindex("}") + 1]))


@dataclass
class Waiting:
    """A try in a session of its own, whose program waits for a file.

    Attributes:
        process: the try.
        waits: the folder of that file.
    """

    process: "subprocess.Popen[str]"
    waits: Path

    @classmethod
    def begin(cls, project: Project, waits: Path) -> "Waiting":
        waits.mkdir()
        process = subprocess.Popen(
            COMMAND,
            cwd=project.path,
            env=project.environment(WAITS=str(waits)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # As in a shell: a process in the background of a script ignores it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        wait_for(lambda: [*waits.glob("begun-*")])
        return cls(process, waits)

    def left(self) -> list[str]:
        """The command lines of what still runs of it, also in other sessions."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("WAITS") == str(self.waits):
                    found.append(" ".join(process.cmdline()))
        return found


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that was edited after its program has run."""
    project = Project(tmp_path_factory.mktemp("edited") / "project")
    project.write("Snakefile", SNAKEFILE)
    project.write("experiments/train.py", PROGRAM)
    project.write_yaml("experiments/toy.yaml", EXPERIMENT)
    project.write_yaml("experiments/toy.try.yaml", SETTINGS)
    project.write_yaml("config.yaml", CONFIG)
    project.snakemake(*EXPORTS).check()
    project.replace("experiments/train.py", "GAIN = 0.0", "GAIN = 0.05")
    return project


@pytest.fixture(scope="module")
def kept(edited: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Finished]:
    """A project with an edit that was kept, by a try that was stopped once and killed once."""
    project = edited.copy(tmp_path_factory.mktemp("try") / "project")
    waiting = Waiting.begin(project, project.path.with_name("waits"))
    os.killpg(waiting.process.pid, signal.SIGTERM)
    end(waiting.process)
    process = project.begin(*COMMAND)
    wait_for(lambda: len([*project.path.glob("results/runs/*/train.json")]) > 2)
    process.kill()
    end(process)  # once the Snakemake that it had started has ended
    return project, attempt(project, "a gain")


def test_a_stopped_and_killed_try_goes_on_until_it_is_kept(kept: tuple[Project, Finished]) -> None:
    project, finished = kept
    assert finished.code == 0, finished.output
    line = finished.line("try 1 kept")
    assert "acc is better by 0.0" in line
    assert "on 5 fresh seeds (" in line
    # Snakemake's builds for it say nothing of results and next commands of a build.
    assert "report: " not in finished.output
    assert finished.output.count("next: ") == 1
    [tried] = LedgerFolder(project.path / "results/tries/toy").tries()
    assert len(tried.trained) == 2 * (len(tried.seeds) + 5) - 2  # the incumbent had run on two
    for run in project.runs:
        train = Train.read(run / "train.json")
        states = [each.state for each in train.attempts]
        assert states in (["finished"], ["interrupted", "finished"]), run  # by the first signal


def test_the_same_edit_starts_nothing(kept: tuple[Project, Finished]) -> None:
    project, first = kept
    again = attempt(project, "a gain")
    assert again.code == 0
    lines = [
        f"{first.line('try 1 kept')} (decided before)",
        first.line("cost: "),
        first.line("next"),
    ]
    assert again.output.splitlines() == lines


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
    # The runs of the listed seeds are there, though the try has planned them by another file.
    assert not {"plan_run", "train", "export_run"} & finished.jobs.keys()
    provenance = project.read_json("results/paper/provenance.json")
    [cell] = provenance["items"]["tables/accuracy"]["cells"].values()
    assert len(cell["runs"]) == 2
    page = (project.path / "results/report/index.html").read_text()
    assert '<h2 id="tries-title">Tries</h2>' in page
    parts = project.read_json("results/paper/compute.json")["parts"]
    [tried] = LedgerFolder(project.path / "results/tries/toy").tries()
    # Of the 2 * (n + 5) runs behind it, two are those that the table shows.
    assert (parts["reported"]["runs"], parts["try"]["runs"]) == (2, 2 * (len(tried.seeds) + 5) - 2)


@pytest.mark.parametrize(
    ("name", "is_of_group"),
    [
        ("SIGINT", True),
        ("SIGTERM", False),
        ("SIGHUP", True),
        pytest.param("SIGTERM", True, marks=pytest.mark.soak),
        pytest.param("SIGINT", False, marks=pytest.mark.soak),
    ],
)
def test_a_signal_ends_a_try_with_all_that_it_has_started(
    edited: Project, tmp_path: Path, name: str, is_of_group: bool
) -> None:
    project = edited.copy(tmp_path / "copy")
    project.change("experiments/toy.yaml", preload=["json"])  # that server ends, too
    number = signal.Signals[name]
    waiting = Waiting.begin(project, tmp_path / "waits")
    (os.killpg if is_of_group else os.kill)(waiting.process.pid, number)
    finished = end(waiting.process)
    assert finished.code == 128 + number
    what = "interrupted" if name == "SIGINT" else f"stopped by {name}"
    # What the signal has reached by itself may write after it.
    said = f"caduceus try: {what}; the same `caduceus try` goes on"
    assert said in finished.output.splitlines()
    assert "Traceback" not in finished.output
    assert waiting.left() == []
    [tried] = LedgerFolder(project.path / "results/tries/toy").tries()
    assert tried.verdict == "running"
