"""Add the cost of attempts that were made elsewhere to the ledger here."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from caduceus.paper.ledger import LedgerRun, ledger_entry
from caduceus.runs.attempts import active_s
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import logs_of_attempt
from caduceus.wandb_log import LogError, Segment, iter_rows


def cost_of(folder: RunFolder) -> LedgerRun | None:
    """Return a run's entry for the ledger; None if it was never started."""
    entry = ledger_entry(folder)
    if entry is None or entry.attempts[-1].state != "running":
        return entry
    last = entry.attempts[-1]
    last = replace(last, wall_s=seconds_until_killed(folder, last))
    return replace(entry, attempts=(*entry.attempts[:-1], last))


def seconds_until_killed(folder: RunFolder, attempt: Attempt) -> float:
    """Return how long an attempt ran whose end nobody saw.

    The times of its files say it. In a copy without times even the run's definition, which was
    written before the attempt, is newer than its start; there the last row of its logs says it.
    """
    if attempt.wall_s:
        return attempt.wall_s
    if folder.params_json.stat().st_mtime <= attempt.start_s:
        return round(active_s(folder, attempt), 3)
    last = max(_times(logs_of_attempt(folder, attempt.number)), default=attempt.start_s)
    return round(max(0.0, last - attempt.start_s), 3)


def _times(logs: Iterable[Path]) -> Iterable[float]:
    for log in logs:
        try:
            for row in iter_rows(Segment(log)):
                if "_timestamp" in row:
                    yield float(row["_timestamp"])
        except (LogError, ValueError):
            continue
