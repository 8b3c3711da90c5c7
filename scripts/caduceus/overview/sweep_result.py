"""The result of a sweep that has run, as the answer of `caduceus sweep --json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caduceus.errors import ResultError
from caduceus.io.failed_entries import Entry, FailedEntry
from caduceus.io.files import Json
from caduceus.sweeps.plans import Sweep

if TYPE_CHECKING:  # with numpy, which a preview doesn't need
    from caduceus.exports.sweep_trials import TrialRow


@dataclass(frozen=True)
class Trial:
    """A trial: its runs, its state, and the mean of its runs' best values of the metric."""

    trial: str
    runs: Sequence[str]
    state: str
    objective: float | None
    stopped_early: bool
    parameters: Mapping[str, Json]


@dataclass(frozen=True)
class SweepResult:
    """The result of a sweep.

    Attributes:
        sweep: its id.
        metric: the metric, if there is one.
        goal: minimize or maximize.
        trials: all trials but skipped ones.
        best: the best trial, without its confirmations; None without a metric or a result.
        best_file: the best configuration as an experiment file, among the confirmed ones if there
            are any.
        table: trials.csv.
        errors: why the sweep failed, if it did.
    """

    sweep: str
    metric: str | None
    goal: str
    trials: Sequence[Trial]
    best: Trial | None
    best_file: str | None
    table: str
    errors: Sequence[str]


def find_result(sweep: Sweep, results: Path) -> SweepResult:
    """Return the result of a sweep, as far as it is exported."""
    from caduceus.exports.sweep_tables import read_trial_table
    from caduceus.exports.sweep_trials import best_of

    folder, config = results / "sweeps" / sweep.id, sweep.config
    table = folder / "trials.csv"
    record = FailedEntry.read_if_there(Entry(f"sweeps/{sweep.id}", results).record)
    errors = list(record.errors) if record else []
    rows: list[TrialRow] = []
    try:
        rows = read_trial_table(table, config.space) if table.exists() else []
    except ResultError as error:
        errors = errors or [str(error)]
    best = best_of(rows, config.goal) if config.metric_name else None
    return SweepResult(
        sweep=sweep.id,
        metric=config.metric_name or None,
        goal=str(config.goal),
        trials=[_trial(row) for row in rows],
        best=_trial(best) if best else None,
        best_file=str(folder / "best.json") if best else None,
        table=str(table),
        errors=errors,
    )


def _trial(row: "TrialRow") -> Trial:
    return Trial(row.trial, row.runs, row.state, row.objective, row.stopped_early, row.parameters)
