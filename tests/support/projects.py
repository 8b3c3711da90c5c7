"""A throw-away project, on which tests do what users do."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from snakemake_forks import snakemake_forks

Found = TypeVar("Found")
REPOSITORY = Path(__file__).parents[2]
TRAIN = '''\
"""Logs a learning curve without learning anything."""

import argparse
import os
from pathlib import Path

import wandb
from curve import accuracy

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--width", type=int)
parser.add_argument("--seed", type=int)
options = parser.parse_args()

run = wandb.init()
for step in range(5):
    run.log({"val/loss": 1 / (step + 1)}, commit=False)
    run.log({"val/accuracy": accuracy(step, options.rate, options.seed)})
output = Path(os.environ["CADUCEUS_OUTPUT_DIR"])
(output / "model.txt").write_text(f"{options.rate} {options.width}")
(output / "predictions.csv").write_text("example,prediction\\n0,1\\n")
run.finish()
'''
# The Snakefile of a project of one's own, as `caduceus init` writes it.
SNAKEFILE = REPOSITORY.joinpath("scripts/caduceus/project/template/Snakefile").read_text()
CURVE = """\
def accuracy(step, rate, seed):
    return 1 - 1 / (step + 2) - rate - seed / 1000
"""
EXPERIMENT: dict[str, Any] = {
    "id": "toy",
    "type": "baseline",
    "hypothesis": "A lower rate is better.",
    "dataset": {"name": "points", "path": "data/points.csv", "version": 1},
    "program": "experiments/train.py",
    "parameters": {"width": 4},
    "matrix": {"rate": [0.1, 0.2]},
    "seeds": [0, 1],
    "metric": {"name": "val/accuracy"},
}
ONE_RUN: dict[str, Any] = {"matrix": {"rate": [0.1]}, "seeds": [0]}
CONFIG: dict[str, Any] = {
    "experiments": ["experiments/toy.yaml"],
    "wandb": {"project": "tests"},
    "paper": {
        "tables": {"accuracy": {"metrics": {"accuracy": "val/accuracy"}}},
        "figures": {"curves": {"kind": "curves", "metrics": {"loss": "val/loss"}}},
    },
}
# Of each run all that there is of it, and nothing that is made of several.
EXPORTS = ("--until", "export_run")


@dataclass
class Finished:
    """A command that has ended."""

    code: int
    output: str  # of both streams

    def check(self) -> "Finished":
        assert self.code == 0, self.output
        return self

    def line(self, start: str = "caduceus") -> str:
        """The one line that begins with `start`."""
        lines = [line for line in self.output.splitlines() if line.startswith(start)]
        assert len(lines) == 1, self.output
        return lines[0]

    @property
    def jobs(self) -> Counter[str]:
        """How many jobs of each rule Snakemake lists; targets that only collect are left out."""
        jobs: Counter[str] = Counter()
        table = self.output.partition("Job stats:")[2].partition("\n\n")[0]
        for line in table.splitlines():
            words = line.split()
            if len(words) == 2 and words[1].isdigit() and words[0] not in ("all", "total"):
                jobs[words[0]] = int(words[1])
        return jobs


@dataclass
class Project:
    """A project in a folder of its own, worked on with the Snakefile of this repository."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "Project":
        project = cls(path)
        project.write("experiments/train.py", TRAIN)
        project.write("experiments/curve.py", CURVE)
        project.write("data/points.csv", "x,y\n0,0\n1,1\n")
        for name, text in _texts().items():
            project.write(name, text)
        return project

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def write_yaml(self, name: str, value: Any) -> Path:
        return self.write(name, yaml.safe_dump(value, sort_keys=False))

    def change(self, file: str, /, **changes: Any) -> None:
        """Set top-level keys of a YAML file."""
        value = read_yaml(self.path / file)
        self.write_yaml(file, value | changes)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def read_json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text())

    def copy(self, path: Path) -> "Project":
        """The same project elsewhere, to change at will."""
        shutil.copytree(self.path, path, symlinks=True)
        return Project(path)

    @property
    def runs(self) -> list[Path]:
        return sorted((self.path / "results/runs").iterdir())

    def command(self, *arguments: str) -> list[str]:
        snakefile = str(REPOSITORY / "Snakefile")
        return [sys.executable, "-m", "snakemake", "--snakefile", snakefile, *arguments]

    def environment(self, **variables: str) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # Pytest sets this anew for each test, and programs are forked from one process for each
        # environment.
        kept = {name: text for name, text in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        return kept | {"PATH": path} | variables

    def snakemake(self, *arguments: str, **variables: str) -> Finished:
        # The default scheduler starts a solver for each choice of jobs; `Project.begin` has it.
        command = self.command("--cores", "2", "--scheduler", "greedy", *arguments)
        if "PYTHONPATH" in variables:  # another Caduceus than the one that forks have imported
            return self.run(*command, **variables)
        _, _, module, *words = command
        environment = self.environment(**variables)
        return Finished(*snakemake_forks().run(module, words, self.path, environment))

    def caduceus(self, *arguments: str, **variables: str) -> Finished:
        environment = self.environment(**variables)
        return Finished(*snakemake_forks().run("caduceus", arguments, self.path, environment))

    def fork(self, script: Path, *arguments: str) -> Finished:
        """Run a script of Caduceus' or Snakemake's own functions."""
        found = snakemake_forks().run(str(script), arguments, self.path, self.environment())
        return Finished(*found)

    def run(self, *words: str, **variables: str) -> Finished:
        return end(self.begin(*words, **variables))

    def begin(self, *words: str, **variables: str) -> "subprocess.Popen[str]":
        """Start a command, which `end` waits for."""
        return subprocess.Popen(
            words,
            cwd=self.path,
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def planned(self, *arguments: str) -> Counter[str]:
        """The jobs that a dry run lists."""
        return self.snakemake("--quiet", "rules", "--dry-run", *arguments).check().jobs


@cache
def _texts() -> dict[str, str]:
    """Return the YAML files of each project by name; they are made once."""
    files = {"experiments/toy.yaml": EXPERIMENT, "config.yaml": CONFIG}
    return {name: yaml.safe_dump(value, sort_keys=False) for name, value in files.items()}


def read_yaml(path: Path) -> Any:
    """Read a YAML file, in an eighth of the time that `yaml.safe_load` takes."""
    return yaml.load(path.read_text(), Loader=yaml.CSafeLoader)


def end(process: "subprocess.Popen[str]") -> Finished:
    """Wait for a command to end."""
    try:
        output, _ = process.communicate(timeout=1200)
    except BaseException:
        process.kill()
        raise
    return Finished(process.returncode, output)


def start_snakemake(
    project: Project, *arguments: str, **variables: str
) -> "subprocess.Popen[bytes]":
    """Snakemake at work in the background, in a session of its own."""
    return subprocess.Popen(
        project.command("--cores", "2", *arguments),
        cwd=project.path,
        env=project.environment(**variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for(condition: Callable[[], Found]) -> Found:
    """Wait for an event; the deadline is so late that only what never happens comes to it."""
    deadline = time.monotonic() + 1200
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found


def end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
