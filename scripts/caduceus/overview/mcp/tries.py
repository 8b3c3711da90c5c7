"""The tool that returns a ledger of tries."""

from collections import Counter
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.phrases import pasted
from caduceus.io.validation import suggestion
from caduceus.overview.mcp.answers import Answer, page
from caduceus.runs.files.tries import ledger_folders
from caduceus.runs.try_ledgers import TryLedger
from caduceus.runs.try_reader import read_try_ledger
from caduceus.tries.table import try_row

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
        interval, number of pairs, cost of both sides in seconds. A running try has no numbers yet.
        damage: a line for each file that can't be read.
    """
    folders = {folder.path.name: folder for folder in ledger_folders(results)}
    if not folders:
        raise ResultError("there is no ledger of tries", str(results / "tries"))
    if ledger is None and len(folders) > 1:
        found = [_brief(read_try_ledger(each)) for each in folders.values()]
        return page("ledgers", found, offset, limit)
    name = next(iter(folders)) if ledger is None else ledger
    if name not in folders:
        there = ", ".join(folders)
        raise ResultError(
            f"there is no ledger {pasted(name)}{suggestion(name, folders)}; there are {there}"
        )
    known = read_try_ledger(folders[name])
    rows = [
        {column: row[column] for column in _COLUMNS if row.get(column) is not None}
        for row in (try_row(tried, known.folder) for tried in reversed(known.tries))
    ]
    return _brief(known) | page("tries", rows, offset, limit)


def _brief(found: TryLedger) -> Answer:
    ledger = found.settled
    answer: Answer = {
        "ledger": found.name,
        "experiment": ledger.experiment,
        "metric": ledger.metric.name,
        "goal": ledger.metric.goal,
        "level": ledger.settings.level,
        "incumbent": found.incumbents[-1].code.id,
        "verdicts": Counter(each.verdict for each in found.tries),
        "holdout_openings": found.openings,
    }
    return answer | ({"damage": list(found.damage)} if found.damage else {})
