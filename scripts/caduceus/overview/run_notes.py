"""Notes on finished runs: how they were tracked, and what was lost or differs from the plan."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from caduceus.io.phrases import count_of
from caduceus.overview.missing_metrics import without_metric
from caduceus.overview.status import RunStatus
from caduceus.runs.equal_seeds import equal_notes, equal_seeds
from caduceus.runs.export_notes import attempts_note, changed_note, dropped_note, gaps_note
from caduceus.runs.files.plan import Plan
from caduceus.runs.folder import RunFolder
from caduceus.runs.lost_logs import lost_logs
from caduceus.runs.record import RunRecord
from caduceus.runs.training_notes import left_note, started_note

_Value = TypeVar("_Value")
_EMPTY_LOG = "it called wandb.init, and logged neither a row nor a summary value"


@dataclass(frozen=True)
class Note:
    """A note on runs of one experiment: its kind in one or two words, and its text."""

    kind: str
    text: str


def plan_warnings(plan_json: Path, folds: int | None) -> list[str]:
    """Return a line for each note on the runs of a plan, and one on its metric if runs lack it.

    Args:
        plan_json: results/experiments/ID.json, whose runs have been exported.
        folds: see `equal_seeds`.
    """
    plan = Plan.read(plan_json)
    records = [RunRecord(RunFolder.of_plan(plan_json, run.id)) for run in plan.runs]
    finished = [record for record in records if record.summary.state == "finished"]
    notes = [f"{note.kind}: {plan.spec.id}: {note.text}" for note in run_notes(finished, folds)]
    without = without_metric(plan_json)
    return [*notes, without] if without else notes


def notes_of_states(
    states: Mapping[str, Sequence[RunStatus]], records: Sequence[RunRecord], folds: int | None
) -> dict[str, list[Note]]:
    """Return the notes on the runs of each experiment.

    Args:
        states: the states of their runs, by experiment.
        records: every run below results/.
        folds: see `equal_seeds`.
    """
    found = {record.run: record for record in records}
    return {
        experiment: list(
            run_notes([found[run.run] for run in runs if run.state == "finished"], folds)
        )
        for experiment, runs in states.items()
    }


def run_notes(finished: Sequence[RunRecord], folds: int | None) -> Iterator[Note]:
    """Yield the notes on finished, exported runs of one experiment, one of each kind at most."""
    untracked = [(record, why) for record in finished if (why := _untracked(record))]
    if untracked:
        first, why = untracked[0]
        number = count_of(len(untracked), "finished run")
        yield Note("untracked", f"{number} without any data, such as {_name(first)}: {why}")
    if equal := equal_notes(equal_seeds(finished, folds)):
        yield Note("equal seeds", " ".join(equal))
    changed = ((record, _changed_log(record)) for record in finished)
    yield from _first_of("changed log", changed, str)
    lasts = [(record, record.attempts[-1]) for record in finished if record.attempts]
    manifests = [(record, record.manifest) for record in finished if record.manifest]
    yield from _first_of("elsewhere", ((r, a.logged_elsewhere) for r, a in lasts), str)
    yield from _first_of("further", ((r, a.started_runs) for r, a in lasts), started_note)
    yield from _first_of("not kept", ((r, a.left_files) for r, a in lasts), left_note)
    yield from _first_of("changed", ((r, m.changed_parameters) for r, m in manifests), changed_note)
    yield from _first_of("dropped", ((r, m.dropped_rows) for r, m in manifests), dropped_note)
    yield from _first_of("resumed", ((r, m.attempts) for r, m in manifests), attempts_note)
    yield from _first_of("lost rows", ((r, m.gaps or None) for r, m in manifests), gaps_note)


def _first_of(
    kind: str,
    of_runs: Iterable[tuple[RunRecord, _Value | None]],
    text: Callable[[_Value], str],
) -> Iterator[Note]:
    """Yield the note on the first run that has one, and the number of others."""
    found = [(record, value) for record, value in of_runs if value is not None]
    if found:
        first, value = found[0]
        more = f"; {count_of(len(found) - 1, 'more run')} like this" if len(found) > 1 else ""
        yield Note(kind, f"{_name(first)}: {text(value)}{more}")


def _untracked(record: RunRecord) -> str | None:
    """Return why a finished run has neither rows nor summary values; None if it has some."""
    summary = record.summary
    if "_step" in summary.summary or any(not name.startswith("_") for name in summary.summary):
        return None
    if summary.started_at is not None:
        return _EMPTY_LOG
    reason = record.attempts[-1].untracked if record.attempts else None
    return reason or "it has no log"


def _changed_log(record: RunRecord) -> str | None:
    """Return how a log is no longer the one that the run's export was made from; None if none is.

    Logs that are gone aren't named: whoever needs the space may delete them.
    """
    folder = record.folder
    for log, how in lost_logs(folder) if folder.manifest_json.exists() else ():
        if log.exists():
            place = log.relative_to(folder.path)
            return f"its export stays, of a log that is no longer there whole: {place}: {how}"
    return None


def _name(record: RunRecord) -> str:
    return f"{record.summary.variant} seed {record.summary.seed}"
