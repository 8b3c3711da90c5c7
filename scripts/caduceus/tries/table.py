"""tries.csv: all tries of a ledger as a table."""

from collections.abc import Mapping

from caduceus.io.cells import to_csv
from caduceus.io.files import Json, write_whole
from caduceus.runs.files.tries import LedgerFolder, Try

COLUMNS = (
    *("try", "why", "verdict", "reason", "sentence", "effect", "low", "high", "phase", "pairs"),
    *("std", "p", "level", "code", "against", "seeds", "fresh_seeds", "left_out", "refused"),
    *("holdout", "holdout_gap", "holdout_error", "cpu_s", "wall_s", "started_at", "ended_at"),
    "diff",
)


def write_table(folder: LedgerFolder) -> None:
    """Write tries.csv from the records of the tries."""
    rows = [try_row(each.decided, folder) for each in folder.tries()]
    write_whole(folder.table, to_csv(rows, COLUMNS))


def try_row(tried: Try, folder: LedgerFolder) -> dict[str, Json]:
    """Return a try as a row of tries.csv; columns without a value are left out."""
    result, holdout = tried.result, tried.holdout
    row: dict[str, Json] = {
        "try": tried.number,
        "why": tried.why,
        "verdict": tried.verdict,
        "reason": tried.reason,
        "sentence": tried.sentence,
        "code": tried.code.id,
        "against": tried.against,
        "seeds": _words(tried.seeds),
        "fresh_seeds": _words(tried.fresh),
        "left_out": _words(tried.left_out),
        "refused": " ".join(tried.refused) or None,
        "cpu_s": tried.cpu_s,
        "wall_s": tried.wall_s if tried.ended_at else None,
        "started_at": tried.started_at,
        "ended_at": tried.ended_at,
        "diff": folder.diff(tried.number).name,
    }
    if result:
        row |= {name: getattr(result, name) for name in _RESULT}
    if holdout:
        row |= {
            "holdout": holdout.value,
            "holdout_gap": holdout.gap,
            "holdout_error": holdout.error,
        }
    return _without_none(row)


_RESULT = ("effect", "low", "high", "phase", "pairs", "std", "p", "level")


def _words(seeds: tuple[int, ...]) -> str | None:
    return " ".join(map(str, seeds)) or None


def _without_none(row: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in row.items() if value is not None}
