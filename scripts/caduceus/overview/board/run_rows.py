"""The parts of a run's row on the page that don't grow while it runs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from caduceus.io.files import Json
from caduceus.runs.files.export import Summary
from caduceus.runs.hidden_settings import shown
from caduceus.runs.record import RunRecord
from caduceus.runs.variants import leaves
from caduceus.system import slurm

_LAST_NAMES = 60  # results of an exported run that are shown beside it
NOT_FINITE = ("NaN", "Infinity", "-Infinity")  # how a server writes numbers that aren't finite


@dataclass(frozen=True)
class Facts:
    """The facts of one run that the estimates of others go by.

    Attributes:
        program: its training program.
        steps: how many steps it had; None if it isn't known.
        seconds: how long it took; None unless it finished.
        rows_sha256: tells equal rows of finished runs; None if they aren't known.
    """

    program: str = ""
    steps: int | None = None
    seconds: float | None = None
    rows_sha256: str | None = None


NO_PLAN: dict[str, Json] = {
    "experiment": None,
    "variant": None,
    "seed": None,
    "group": None,
    "name": None,
    "metric": None,
    "parameters": {},
    "sweep": None,
    "trial": None,
}
UNKNOWN: dict[str, Json] = {
    "attempts": 0,
    "host": None,
    "started_at": None,
    "runtime_s": None,
    "notes": [],
    "slurm": None,
}
NOTHING_LIVE: dict[str, Json] = {
    "rows": None,
    "samples": None,
    "step": None,
    "steps": None,
    "left_s": None,
    "updated_at": None,
    "diverged": [],
    "last": {},
}


def state_row(state: str, about: str) -> dict[str, Json]:
    """Return a state, and the reason or the place that goes with it."""
    return {"state": state, "about": about}


def slurm_row(queued: slurm.QueuedJob | None) -> Json:
    """Return a run's job in SLURM's queue; None without one."""
    if queued is None:
        return None
    return {"job": queued.job_id, "state": queued.state, "reason": queued.reason or None}


def facts_of(record: RunRecord, state: str) -> Facts:
    """Return what a run says for the estimates of others."""
    if state != "finished" or record.exported is None:
        return Facts()
    step = record.exported.summary.get("_step")
    has_params = record.folder.params_json.exists()
    return Facts(
        record.params.program if has_params else "",
        step + 1 if isinstance(step, int) else None,
        record.train.kept_s if record.train else None,
        record.exported.rows_sha256,
    )


def exported_row(summary: Summary) -> dict[str, Json]:
    """Return the last step and results of an exported run."""
    numbers: dict[str, Json] = {
        name: value
        for name, value in leaves(summary.summary)
        if name[:1] != "_" and (_is_number(value) or value in NOT_FINITE)
    }
    step = summary.summary.get("_step")
    written = summary.summary.get("_timestamp")
    chosen = list(numbers)[:_LAST_NAMES]
    return {
        "step": step if isinstance(step, int) else None,
        "updated_at": written if isinstance(written, int | float) else None,
        "last": {name: numbers[name] for name in chosen},
        "diverged": [name for name in chosen if not _is_finite(numbers[name])],
    }


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: Json) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def flat(parameters: Mapping[str, Json]) -> dict[str, Json]:
    """Return parameters, nested names joined by dots; values that are secrets are hidden."""
    return {name: shown(name, value) for name, value in leaves(parameters)}


def seconds(moment: str | None) -> float | None:
    """Return a moment in ISO 8601 in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp() if moment else None
