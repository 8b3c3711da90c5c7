"""Runs of a project that nobody trains, whose logs a test lets grow."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.io.cells import to_csv
from caduceus.io.files import write_json, write_whole
from caduceus.runs.files.params import Params
from caduceus.runs.files.plan import Plan, Run
from caduceus.runs.folder import RunFolder
from caduceus.system.leases import held
from caduceus.wandb_log.records import HISTORY
from caduceus.wandb_log.wire import encode, write_bytes
from caduceus.wandb_log.writing import RUN, STATS, LogWriter, write_items
from run_files import attempt, identity, spec, summary, train

METRIC = 12  # the kind of the record that `define_metric` writes


@dataclass(frozen=True)
class Results:
    """A project's folder with results/, of one experiment, toy."""

    project: Path

    @property
    def path(self) -> Path:
        return self.project / "results"

    def folder(self, run: str) -> RunFolder:
        return RunFolder(self.path / "runs" / run)

    def plan(self, runs: Mapping[str, tuple[str, int]], **values: Any) -> None:
        """Plan runs, each with its variant and seed."""
        metric = {"name": "loss", "goal": "minimize"}
        known = spec(seeds=sorted({seed for _, seed in runs.values()}), metric=metric, **values)
        listed = [
            Run(run, f"toy {variant} {seed}", variant, seed, parameters(variant, seed), None)
            for run, (variant, seed) in runs.items()
        ]
        Plan(known, "experiments/toy.yaml", tuple(listed)).write(self.path / "experiments/toy.json")

    def start(self, run: str, variant: str = "a", seed: int = 0, number: int = 1) -> Path:
        """Have a run as an attempt starts it; returns the place of the attempt's log."""
        folder = self.folder(run)
        identity(run, variant=variant, seed=seed).write(folder.run_json)
        parameters(variant, seed).write(folder.params_json)
        attempt(number, state="running").write(folder.attempts / f"{number}.json")
        log = folder.wandb(number) / "wandb/offline-run-1-x" / f"run-{run}.wandb"
        log.parent.mkdir(parents=True)
        with LogWriter(log) as writer:
            head = {"run_id": run, "display_name": run, "start_time": {"seconds": 1_700_000_000}}
            writer.append(RUN, encode("Run", head))
        return log

    def finish(self, run: str, rows: Sequence[Mapping[str, Any]], **values: Any) -> None:
        """Have the run as it lies there once it is exported."""
        folder = self.folder(run)
        last = {name: value for row in rows for name, value in row.items()}
        numbered = [{"_step": step} | dict(row) for step, row in enumerate(rows)]
        given = {"experiment": "toy", "variant": "a", "seed": 0, "summary": last} | values
        write_whole(folder.path / "metrics_history.csv", to_csv(numbered, ["_step"]))
        if not folder.run_json.exists():
            about = {name: given[name] for name in ("variant", "seed")}
            identity(run, **about).write(folder.run_json)
            parameters(given["variant"], given["seed"]).write(folder.params_json)
        summary(run, **given).write(folder.summary_json)
        state = given.get("state", "finished")
        train(run, state=state).write(folder.train_json)
        write_json(folder.manifest_json, {"run": run, "files": {}})


def parameters(variant: str, seed: int) -> Params:
    given = {"code": "c0de", "command": ("python",), "dataset": None, "seed": seed}
    return Params(program="experiments/train.py", parameters={"variant": variant}, **given)


def log_rows(log: Path, rows: Sequence[Mapping[str, Any]], first: int = 0) -> None:
    """Append rows to a log, as wandb does; their steps go on from `first`."""
    with LogWriter(log) as writer:
        for step, row in enumerate(rows, first):
            items = [(name.split("."), _text(value)) for name, value in row.items()]
            items += [(["_step"], str(step)), (["_timestamp"], str(1_700_000_000 + step))]
            writer.append(HISTORY, write_items(items))
        writer.flush()


def log_system(log: Path, values: Mapping[str, float], second: int = 1) -> None:
    """Append a row of what the system does, in a second of the run."""
    items = [{"key": name, "value_json": _text(value)} for name, value in values.items()]
    with LogWriter(log) as writer:
        stamp = {"seconds": 1_700_000_000 + second}
        writer.append(STATS, encode("Stats", {"timestamp": stamp, "item": items}))
        writer.flush()


def define_metric(log: Path, name: str, axis: str) -> None:
    """Append the record with which a program gives a metric its axis."""
    with LogWriter(log) as writer:
        writer.append(METRIC, write_bytes(1, name.encode()) + write_bytes(4, axis.encode()))


@contextmanager
def running(folder: RunFolder) -> Iterator[None]:
    """Hold a run's lease, as the process does that trains it, before there is an attempt."""
    folder.path.mkdir(parents=True, exist_ok=True)
    with held(folder.lease, folder.lock, None):
        yield


def damage(path: Path, at: int, content: bytes) -> None:
    """Overwrite a part of a file."""
    descriptor = os.open(path, os.O_WRONLY)
    os.pwrite(descriptor, content, at)
    os.close(descriptor)


def _text(value: object) -> str:
    return json.dumps(value)
