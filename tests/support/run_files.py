"""The JSON files of a run, with plausible values for whatever a test doesn't care about."""

from typing import Any

from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params


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
