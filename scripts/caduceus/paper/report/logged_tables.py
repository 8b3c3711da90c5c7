"""The tables with pictures that programs have logged, as a report shows them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caduceus.io.files import Json, read_json
from caduceus.io.names import is_safe_path
from caduceus.paper.report.sections import MEDIA_TYPES, data_uri
from caduceus.runs.files.export import Summary
from caduceus.runs.files.plan import Plan
from caduceus.runs.folder import RunFolder

_ROWS = 8  # of a table; the file has all
_LARGEST = 200_000  # bytes of a picture in the page
_MOST_PICTURES = 20_000_000  # characters of all pictures, after which no table is shown
_LONGEST = 200  # characters of another cell
_AGAIN = "delete its run's manifest.json, and `snakemake` exports it again"


@dataclass(frozen=True)
class LoggedTables:
    """Tables with pictures.

    Attributes:
        tables: those that are shown.
        left_out: how many runs have others, for which the page has no room.
    """

    tables: list[dict[str, Any]] = field(default_factory=list)
    left_out: int = 0


def logged_table_section(plans: Sequence[Path], most: int = _MOST_PICTURES) -> LoggedTables:
    """Return the first rows of the last table of each name that a variant's first run has logged.

    Tables without pictures are left out, and those whose file isn't there, as in an archive that
    leaves out large files.

    Args:
        plans: results/experiments/ID.json of all experiments.
        most: characters of pictures, after which the tables of further runs are left out.
    """
    first: dict[tuple[str | None, str | None], Path] = {}
    for plan in plans:
        for run in Plan.read(plan).runs:
            folder = RunFolder.of_plan(plan, run.id)
            summary = Summary.read_if_there(folder.summary_json)
            if summary and any(_tables(summary.summary)):
                first.setdefault((summary.experiment, summary.variant), folder.path)
    tables: list[dict[str, Any]] = []
    used = 0
    for place, run_folder in enumerate(first.values()):
        if used >= most:
            return LoggedTables(tables, len(first) - place)
        found = list(_shown(run_folder))
        cells = (cell for table in found for row in table["rows"] for cell in row)
        used += sum(len(cell.get("source", "")) for cell in cells)
        tables += found
    return LoggedTables(tables)


def _shown(folder: Path) -> Iterator[dict[str, Any]]:
    summary = Summary.read(folder / "run_summary.json")
    for name, path in _tables(summary.summary):
        if not (folder / path).is_file():
            continue
        table = read_json(folder / path, _AGAIN)
        rows = [[_cell(value, folder) for value in row] for row in table["data"][:_ROWS]]
        if any("source" in cell for row in rows for cell in row):
            yield {
                "run": summary.run_id,
                "title": " · ".join(filter(None, (name, summary.experiment, summary.variant))),
                "file": (folder / path).as_posix(),
                "columns": table["columns"],
                "rows": rows,
                "more": len(table["data"]) - len(rows),
            }


def _tables(values: Mapping[str, Json], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and file of each table in a run's summary."""
    for key, value in values.items():
        if not isinstance(value, Mapping):
            continue
        path = str(value.get("path"))
        if value.get("_type") != "table-file":
            yield from _tables(value, f"{above}{key}.")
        elif path.startswith("media/") and is_safe_path(path):
            yield f"{above}{key}", path


def _cell(value: Json, folder: Path) -> dict[str, str]:
    """Return the text of a cell, and of a picture its `source`, unless it is too large."""
    if isinstance(value, Mapping) and "_type" in value and "path" in value:
        name = str(value["path"])
        path = folder / name
        found = {"text": str(value.get("caption") or name)}
        if not name.startswith("media/") or not is_safe_path(name) or not path.is_file():
            return found
        is_shown = path.suffix in MEDIA_TYPES and path.stat().st_size <= _LARGEST
        return found | {"source": data_uri(path)} if is_shown else found
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return {"text": text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"}
