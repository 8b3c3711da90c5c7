"""Runs on a cluster: a program that waits on demand and goes on from its checkpoint."""

import csv
from pathlib import Path

from caduceus.wandb_log import read_log
from projects import EXPERIMENT, Project

# Goes on from its checkpoint, and waits after the fourth row for as long as there is a file `hold`.
TRAIN = '''\
"""Logs a learning curve, and remembers how far it is."""

import argparse
import json
import os
import time
from pathlib import Path

import wandb

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--width", type=int)
parser.add_argument("--seed", type=int)
options = parser.parse_args()

state = Path(os.environ["CADUCEUS_CHECKPOINT_DIR"]) / "state.json"
first = json.loads(state.read_text())["step"] if state.exists() else 0
hold = Path(os.environ["CADUCEUS_PROJECT_DIR"]) / "hold"
run = wandb.init()
for step in range(first, 8):
    row = {"val/loss": 1 / (step + 1), "val/accuracy": step / 8 + options.seed}
    run.log(row, step=step, commit=True)  # else wandb holds it back until the next one
    state.with_suffix(".new").write_text(json.dumps({"step": step + 1}))
    state.with_suffix(".new").replace(state)
    while step == 3 and hold.exists():
        time.sleep(0.1)
output = Path(os.environ["CADUCEUS_OUTPUT_DIR"])
(output / "model.txt").write_text("0")
run.finish()
'''


def create(path: Path, seeds: int, **resources: int) -> Project:
    project = Project.create(path)
    project.write("experiments/train.py", TRAIN)
    project.write_yaml(
        "experiments/toy.yaml",
        EXPERIMENT | {"matrix": {"rate": [0.1]}, "seeds": [*range(seeds)], "resources": resources},
    )
    return project


def saved(project: Project) -> list[Path]:
    """The runs that wait after their fourth row, which their logs hold by now."""
    return [
        path.parents[2]
        for path in (project.path / "results/runs").glob("*/work/checkpoints/state.json")
        if path.read_text() == '{"step": 4}' and last_logged(path.parents[2]) == "3"
    ]


def last_logged(run: Path) -> str | None:
    """The last step in the logs of a run's attempts."""
    logs = run.glob("work/wandb/*/wandb/*run-*/run-*.wandb")
    rows = [row for log in logs for row in read_log(log).history]
    return max((row["_step"] for row in rows), default=None)


def attempts(project: Project, run: str) -> list[dict[str, object]]:
    folder = project.path / "results/runs" / run / "work/attempts"
    names = sorted(path.name for path in folder.glob("[0-9]*.json"))
    return [project.read_json(f"results/runs/{run}/work/attempts/{name}") for name in names]


def history(project: Project, run: str) -> list[dict[str, str]]:
    """The exported rows without the columns that hold times."""
    with (project.path / "results/runs" / run / "metrics_history.csv").open() as stream:
        return [
            {key: row[key] for key in row if key not in ("_timestamp", "_runtime")}
            for row in csv.DictReader(stream)
        ]
