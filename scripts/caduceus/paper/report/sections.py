"""The contents of a report's sections, except for runs and curves."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.io.csv_rows import read_rows
from caduceus.io.failed_entries import refuse_failed
from caduceus.io.files import read_json
from caduceus.runs.equal_seeds import equal_seeds
from caduceus.runs.files.plan import Plan
from caduceus.runs.files.sweep import SweepPlan
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord

MEDIA_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}


def experiment_section(plans: Sequence[Path], folds: int | None) -> list[dict[str, Any]]:
    """Return the spec of each experiment, its number of runs, and its `equal` seeds.

    Args:
        plans: results/experiments/ID.json of all experiments.
        folds: see `equal_seeds`.
    """
    return [_experiment(path, Plan.read(path), folds) for path in plans]


def _experiment(path: Path, plan: Plan, folds: int | None) -> dict[str, Any]:
    records = (RunRecord(RunFolder.of_plan(path, run.id)) for run in plan.runs)
    equal = equal_seeds((record for record in records if record.exported), folds)
    return {"spec": plan.spec, "runs": len(plan.runs), "equal": equal}


def read_figure(path: Path) -> dict[str, Any]:
    """Return the content of a figure, with its picture as a data URI.

    Args:
        path: NAME.svg; NAME.json beside it may be missing.
    """
    json_file = path.with_suffix(".json")
    content = read_json(json_file) if json_file.exists() else {}
    defaults = {"name": path.stem, "title": "", "caption": "", "runs": []}
    return defaults | content | {"source": data_uri(path)}


def data_uri(path: Path) -> str:
    """Return a picture as a data URI."""
    text = base64.b64encode(path.read_bytes()).decode()
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{text}"


def claim_section(claims: Path | None) -> dict[str, Any] | None:
    """Return the content of claims.json with the count of each verdict."""
    if claims is None:
        return None
    decided: dict[str, Any] = read_json(claims)
    return decided | {"verdicts": Counter(claim["verdict"] for claim in decided["claims"])}


def read_sweep(path: Path) -> dict[str, Any]:
    """Return a sweep with its trials, the ten best and the importances.

    Args:
        path: its trials.csv, with its other files in the same folder.
    """
    refuse_failed(path)
    folder = path.parent
    config = SweepPlan.read(folder / "sweep.json").config
    rows = [_with_parameters(row) for row in read_rows(path)]
    decided = [row for row in rows if isinstance(row["objective"], int | float)]
    return {
        "name": folder.name,
        "method": config.method,
        "metric": config.metric and config.metric.name,
        "goal": config.goal,
        "trials": rows,
        "states": Counter(row["state"] for row in rows),
        "stopped_early": sum(row["stopped_early"] is True for row in rows),
        "best": sorted(decided, key=lambda row: config.goal.sign * row["objective"])[:10],
        "confirmed": [_with_parameters(row) for row in read_rows(folder / "confirmed.csv")],
        "importance": read_rows(folder / "importance.csv"),
    }


def _with_parameters(row: Mapping[str, Any]) -> dict[str, Any]:
    prefix = "config."
    parameters = {
        name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)
    }
    return {**row, "parameters": parameters}
