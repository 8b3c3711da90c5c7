"""The tool that returns a ledger of tries."""

from collections import Counter
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.csv_rows import read_rows
from caduceus.io.phrases import pasted
from caduceus.io.validation import suggestion
from caduceus.overview.mcp.answers import Answer, page
from caduceus.runs.files.tries import Ledger, LedgerFolder, incumbent_of, ledger_folders

_COLUMNS = (
    *("try", "why", "verdict", "reason", "sentence", "effect", "low", "high", "phase", "pairs"),
    *("p", "level", "code", "against", "refused", "holdout", "holdout_gap", "cpu_s", "wall_s"),
)


def try_ledger(
    results: Path, ledger: str | None = None, offset: int = 0, limit: int = 20
) -> Answer:
    """Return the edits that were tried, the latest first, with verdicts, effects and costs.

    Args:
        ledger: its name; without it, the only one, or a list of all.
        offset: how many tries to skip.
        limit: how many at most.

    Returns:
        metric and goal, level (the chance that any try was kept without being better), incumbent
        (the id of its code), verdicts counted, openings of the holdout; tries, each with its
        reason, verdict, effect to the incumbent of its time (positive is better) with its 95 %
        interval, number of pairs, cost of both sides in seconds.
    """
    folders = {folder.path.name: folder for folder in ledger_folders(results)}
    if not folders:
        raise ResultError("there is no ledger of tries", str(results / "tries"))
    if ledger is None and len(folders) > 1:
        return page("ledgers", [_brief(each) for each in folders.values()], offset, limit)
    name = next(iter(folders)) if ledger is None else ledger
    if name not in folders:
        there = ", ".join(folders)
        raise ResultError(
            f"there is no ledger {pasted(name)}{suggestion(name, folders)}; there are {there}"
        )
    rows = [
        {column: row[column] for column in _COLUMNS if row.get(column) is not None}
        for row in reversed(read_rows(folders[name].table))
    ]
    return _brief(folders[name]) | page("tries", rows, offset, limit)


def _brief(folder: LedgerFolder) -> Answer:
    ledger, tries = Ledger.read(folder.ledger), folder.tries()
    return {
        "ledger": folder.path.name,
        "experiment": ledger.experiment,
        "metric": ledger.metric.name,
        "goal": ledger.metric.goal,
        "level": ledger.settings.level,
        "incumbent": incumbent_of(folder).id,
        "verdicts": Counter(each.verdict for each in tries),
        "holdout_openings": sum(each.holdout is not None for each in tries),
    }
