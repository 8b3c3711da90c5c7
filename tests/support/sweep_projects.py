"""Projects with one sweep, and what their results say of it."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import yaml
from online import account
from projects import Project
from reads import unordered_reads, watched
from wandb_server import WandbServer

# Deterministic; the parameters decide what becomes of a trial.
PROGRAM = """\
import argparse
import os
import time
from pathlib import Path

import wandb

project = Path(os.environ["CADUCEUS_PROJECT_DIR"])
parser = argparse.ArgumentParser()
parser.add_argument("--mode", default="good")
parser.add_argument("--x", type=float)
parser.add_argument("--rows", type=int, default=4)
parser.add_argument("--stuck", type=int, default=-1)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

run = wandb.init()
for row in range(options.rows):
    loss = (options.x - 0.3) ** 2 + 1 / (row + 1) + options.seed / 100
    run.log({"val/loss": float("nan") if options.mode == "broken" else loss}, commit=True)
    if options.mode == "crash" and row == 1:
        raise SystemExit("crashed")
    for _ in range(6000):
        is_stuck = row == options.stuck and options.x > 1
        is_held = (project / "hold").exists() or (
            (project / "hold-later").exists() and wandb.run.id[-4:] >= "0004"
        )
        if not (is_stuck or is_held):
            break
        time.sleep(0.05)
run.finish()
"""
# PROGRAM with `caduceus.tracking`, which logs the artifacts in the program's own process: a trial
# then needs no second start of wandb.
TRACKED = PROGRAM.replace(
    "run = wandb.init()", "from caduceus import tracking\n\nrun = tracking.start()"
).replace("run.log(", "wandb.log(")
GRID = {
    "method": "grid",
    "metric": {"name": "val/loss", "goal": "minimize"},
    "parameters": {"mode": {"values": ["good", "crash", "broken"]}, "x": {"values": [0.2, 0.8]}},
}
BAYES: dict[str, Any] = {
    "method": "bayes",
    "metric": {"name": "val/loss", "goal": "minimize"},
    "parameters": {"x": {"min": 0.0, "max": 1.0}, "mode": {"values": ["good", "broken"]}},
}


def create(path: Path, config: Any, program: str = PROGRAM, **sweep: Any) -> Project:
    project = Project.create(path)
    project.write("experiments/train.py", program)
    experiment = {
        "id": "tune",
        "type": "sweep",
        "program": "experiments/train.py",
        "sweep": {"config": config} | sweep,
    }
    project.write_yaml("experiments/tune.yaml", experiment)
    project.write_yaml(
        "config.yaml", {"experiments": ["experiments/tune.yaml"], "wandb": {"project": "tests"}}
    )
    return project


def change_sweep(project: Project, **changes: Any) -> None:
    spec = yaml.safe_load((project.path / "experiments/tune.yaml").read_text())
    project.change("experiments/tune.yaml", sweep=spec["sweep"] | changes)


def sweep_of(project: Project) -> Path:
    (folder,) = (project.path / "results/sweeps").iterdir()
    return folder


def trials_of(project: Project) -> list[dict[str, str]]:
    with (sweep_of(project) / "trials.csv").open() as stream:
        return list(csv.DictReader(stream))


def told(project: Project) -> list[dict[str, Any]]:
    paths = sorted((sweep_of(project) / "trials").glob("[0-9]*.json"))
    return [json.loads(path.read_text()) for path in paths]


def found_elsewhere(project: Project, path: Path, server: WandbServer) -> Project:
    """Copy a project without its results, and build it from the runs on the server."""
    shutil.copytree(project.path, path, ignore=shutil.ignore_patterns("results", ".snakemake"))
    other = Project(path)
    other.change("config.yaml", export={"source": "api"})
    other.snakemake(**account(server, other) | watched(path.parent / "reads")).check()
    assert not list(path.glob("results/runs/*/train.json"))
    _, unordered = unordered_reads(other, path.parent / "reads")
    assert unordered == set()
    assert other.planned() == {}
    return other


def assert_same_sweep(here: Project, there: Project) -> None:
    """But for the times, which a server counts in its own way."""
    times = ("started_at", "wall_s")
    rows = [
        [{name: value for name, value in row.items() if name not in times} for row in trials]
        for trials in map(trials_of, (here, there))
    ]
    assert rows[0] == rows[1]
    for pattern in ("*.json", "confirmed.csv", "importance.csv", "trials/*.json"):
        for path in sweep_of(there).glob(pattern):
            name = path.relative_to(there.path)
            assert path.read_bytes() == (here.path / name).read_bytes(), name
