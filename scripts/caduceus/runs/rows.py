"""A run as one row of a table: about it, its parameters, its results."""

from collections.abc import Mapping
from typing import Any

from caduceus.runs.variants import leaves

ABOUT_RUN = ("run", "name", "experiment", "type", "variant", "seed", "state", "error")


def run_row(
    summary: Mapping[str, Any], train: Mapping[str, Any] | None, kind: str | None
) -> dict[str, Any]:
    """A run as one row: about it, its parameters as config.*, its results as summary.*.

    Args:
        summary: run_summary.json.
        train: train.json; None of a run that was made elsewhere.
        kind: the type of its experiment.
    """
    row = {name: summary.get(name) or None for name in ABOUT_RUN}  # W&B knows no None for a name
    row |= {"seed": summary.get("seed")}
    row |= {"run": summary["run_id"], "type": kind, "error": train and train["error"]}
    row |= {f"config.{name}": value for name, value in leaves(summary["config"])}
    row |= {f"summary.{name}": value for name, value in leaves(summary["summary"])}
    return row | {
        "git_commit": summary["git"]["commit"] or None,
        "host": summary["host"],
        "started_at": summary["started_at"],
        "runtime_s": summary["runtime_s"],
    }
