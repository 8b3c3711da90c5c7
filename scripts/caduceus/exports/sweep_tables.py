"""The tables of an exported sweep, read back."""

from pathlib import Path

from caduceus.exports.sweep_importance import Importance
from caduceus.exports.sweep_trials import TrialRow
from caduceus.io.cells import parse
from caduceus.io.csv_rows import text_rows
from caduceus.io.failed_entries import refuse_failed
from caduceus.sweeps.spaces import Space


def read_trial_table(path: Path, space: Space) -> list[TrialRow]:
    """Read results/sweeps/SWEEP/trials.csv, without skipped trials.

    The table has no objectives of single runs, so that `objectives` is empty.

    Raises:
        ResultError: the export of the sweep failed.
    """
    refuse_failed(path)
    names = [parameter.name for parameter in space.parameters]
    rows = []
    for row in text_rows(path):
        values = {name: parse(text) for name, text in row.items() if text}
        if values["state"] != "skipped":
            rows.append(
                TrialRow(
                    trial=f"{values['trial']:04d}",
                    runs=tuple(row["runs"].split()),
                    state=values["state"],
                    parameters={name: values.get(f"config.{name}") for name in names},
                    objective=values.get("objective"),
                    objectives=(),
                    stopped_early=values["stopped_early"],
                    started_at=values.get("started_at"),
                    wall_s=values["wall_s"],
                )
            )
    return rows


def read_importances(path: Path) -> list[Importance]:
    """Read importance.csv, the greatest importance first."""
    return [
        Importance(**{name: parse(text) for name, text in row.items()}) for row in text_rows(path)
    ]
