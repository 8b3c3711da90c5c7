"""Plans and JSON files of runs, with plausible values for whatever a test doesn't care about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from caduceus.io.files import write_json
from caduceus.io.validation import validate
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.export import ExportedArtifact, Summary
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.files.plan import Plan, Run, Spec
from caduceus.runs.files.sweep import SweepPlan
from caduceus.runs.files.train import Train
from caduceus.runs.files.tries import Code, LedgerFolder, Try


def params(**values: Any) -> Params:
    """params.json with these values."""
    given: dict[str, Any] = {
        "code": "c0de",
        "command": ("${interpreter}", "${program}", "${args}"),
        "dataset": None,
        "parameters": {},
        "program": "experiments/train.py",
        "seed": 0,
    }
    return Params(**given | values)


def identity(run_id: str, **values: Any) -> Identity:
    """run.json with these values."""
    given: dict[str, Any] = {
        "config": {},
        "experiment": "toy",
        "group": "baseline",
        "job_type": "train",
        "mode": "offline",
        "name": run_id,
        "notes": "",
        "project": "tests",
        "seed": 0,
        "tags": (),
        "variant": "default",
    }
    return Identity(id=run_id, **given | values)


def sweep_plan(config: Mapping[str, Any], **values: Any) -> SweepPlan:
    """sweep.json of the sweep tune-1 with W&B's configuration, and with these values."""
    given: dict[str, Any] = {
        "sweep": "tune-1",
        "config": config,
        "engine": "caduceus",
        "lag": 1,
        "seed": 0,
        "sampler": "tpe",
        "seeds": [0],
        "default_seed": 0,
        "file": "tune.yaml",
        "keys": ["sweep", "config"],
        "definition": {
            "program": "experiments/train.py",
            "command": ["${interpreter}", "${program}", "${args}"],
            "parameters": {},
            "dataset": None,
            "code": "c0de",
        },
    }
    return SweepPlan.from_json(given | values)


def summary(run_id: str, **values: Any) -> Summary:
    """run_summary.json with these values."""
    given: dict[str, Any] = {
        "name": run_id,
        "experiment": None,
        "variant": None,
        "seed": None,
        "state": "finished",
        "entity": None,
        "project": "tests",
        "group": "baseline",
        "job_type": "train",
        "tags": (),
        "notes": "",
        "config": {},
        "summary": {},
    }
    return Summary(run_id=run_id, **given | values)


def artifact(name: str, kind: str, files: dict[str, Any]) -> ExportedArtifact:
    """An artifact in run_summary.json; `files` may be empty objects."""
    return ExportedArtifact(
        name=name, type=kind, digest="d", aliases=("latest",), metadata={}, files=files
    )


def spec(**values: Any) -> Spec:
    """An experiment with these values."""
    given: dict[str, Any] = {
        "id": "toy",
        "name": "toy",
        "type": "baseline",
        "group": "baseline",
        "program": "experiments/train.py",
        "seeds": [0],
    }
    return Spec.from_json(validate(given, "experiment", lambda keys: "") | values)


def plan(trials: Mapping[str, str | None], **values: Any) -> Plan:
    """The plan of an experiment with these runs, each with its trial, and these values."""
    runs = [Run(run, run, "default", 0, params(), trial) for run, trial in trials.items()]
    return Plan(spec(**values), "experiments/toy.yaml", tuple(runs))


def attempt(number: int = 1, **values: Any) -> Attempt:
    """An attempt that took a minute, with these values."""
    given: dict[str, Any] = {
        "state": "finished",
        "started_at": "2026-01-01T00:00:00.000+00:00",
        "host": "node1",
        "wall_s": 60.0,
        "cpu_s": 50.0,
        "lost_s": 0.0,
        "peak_memory_gb": 0.5,
    }
    return Attempt(attempt=number, **given | values)


def train(run_id: str, *attempts: Attempt, **values: Any) -> Train:
    """train.json of these attempts, or of one that took a minute, with these values."""
    return replace(Train.of(run_id, attempts or [attempt()]), **values)


def write_try(results: Path, runs: Sequence[str]) -> None:
    """Write a ledger with a try that these runs were trained for."""
    folder = LedgerFolder(results / "tries/toy")
    write_json(folder.ledger, {})
    Try(
        number=1,
        why="it may help",
        code=Code(id="c0de", definition=params(), variant="default"),
        against="c0de",
        verdict="discarded",
        reason="no_gain_in_screening",
        sentence="no promising gain on the incumbent's seeds",
        trained=tuple(runs),
        started_at="2026-01-01T00:00:00+00:00",
    ).write(folder.record(1))
