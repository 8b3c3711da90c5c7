"""What an exported sweep holds, read back from its tables."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from caduceus.exports.sweep_importance import Importance
from caduceus.exports.sweep_trials import TrialRow
from caduceus.io.cells import parse
from caduceus.sweeps.spaces import Space


def read_trial_table(path: Path, space: Space) -> list[TrialRow]:
    """The trials of results/sweeps/SWEEP/trials.csv in their order, those that were skipped left
    out.

    The table has no `objectives` of single runs.
    """
    names = [parameter.name for parameter in space.parameters]
    return [
        TrialRow(
            trial=f"{row['trial']:04d}",
            runs=tuple(row["runs"].split()),
            state=row["state"],
            parameters={name: row.get(f"config.{name}") for name in names},
            objective=row.get("objective"),
            objectives=(),
            stopped_early=row["stopped_early"],
            started_at=row.get("started_at"),
            wall_s=row["wall_s"],
        )
        for row in _rows(path)
        if row["state"] != "skipped"
    ]


def read_importances(path: Path) -> list[Importance]:
    """Those of importance.csv, the greatest first."""
    return [Importance(**row) for row in _rows(path)]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            yield {name: parse(text) for name, text in row.items() if text}
