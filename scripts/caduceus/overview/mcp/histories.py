"""The tool that returns a run's history: exact values in pages, and a summary of each metric."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from caduceus.errors import CaduceusError
from caduceus.exports.history_columns import TIME_COLUMNS
from caduceus.io.cells import parse
from caduceus.io.csv_rows import columns_of, text_rows
from caduceus.io.files import MADE_AGAIN, damaged
from caduceus.overview.mcp.answers import Answer, choose_metric, page, some, units
from caduceus.project.listed_runs import find_run
from caduceus.runs.files.export import STEP

_MOST_METRICS = 6  # shown by default


def get_history(
    results: Path,
    run: str,
    metrics: list[str] | None = None,
    first_step: int | None = None,
    last_step: int | None = None,
    is_system: bool = False,
    offset: int = 0,
    limit: int = 50,
) -> Answer:
    """Return what a run logged: every row, exact values, nothing sampled or smoothed.

    Args:
        run: its id.
        metrics: their names; by default the first few. Only rows with one of them are returned.
        first_step: leave out earlier steps.
        last_step: leave out later steps.
        is_system: CPU, memory and GPU metrics instead of the program's.
        offset: how many rows to skip.
        limit: how many rows at most.

    Returns:
        total, columns, rows in the order of columns (null: not logged there; "NaN", "Infinity" as
        logged), more; summary of each metric over all rows of the range, not only the page:
        number of values, first, last, least and greatest with their steps; other_metrics; axes,
        the x axis that the program declared for a metric, if it did (by default _step).
    """
    record = find_run(results, run)
    if record.exported is None:
        raise CaduceusError(f"run {run} isn't exported yet: it is {record.state}")
    path = record.folder.path / ("system_metrics.csv" if is_system else "metrics_history.csv")
    header = columns_of(path)
    if "_step" not in header:
        raise damaged(path, "it lacks the column _step", MADE_AGAIN)
    known = [name for name in header if name not in ("_step", *TIME_COLUMNS)]
    # A time column isn't shown by default, but may be named.
    names = [choose_metric(name, header) for name in metrics or ()] or known[:_MOST_METRICS]
    axes = {name: record.summary.axis_of(name) for name in names}
    declared = {name: axis for name, axis in axes.items() if axis != STEP and axis in header}
    places = ["_timestamp"] if is_system else [STEP, *declared.values()]
    shown = list(dict.fromkeys([*places, *names]))
    rows = list(_rows(path, shown, names, first_step, last_step))
    answer: Answer = {"run": run, "columns": shown} | page(
        "rows", [values for _, values in rows], offset, limit
    )
    answer["summary"] = {
        name: _summary([(step, values[place]) for step, values in rows])
        for place, name in enumerate(shown)
        if name in names
    }
    if declared:
        answer["axes"] = declared
    others = [name for name in known if name not in shown]
    return answer | {"units": units(shown), "other_metrics": some(others, 60)}


def _rows(
    path: Path, shown: Sequence[str], names: Sequence[str], first: int | None, last: int | None
) -> Iterator[tuple[int | None, list[Any]]]:
    """Yield the step and cells of each row in the range that has one of `names`."""
    for row in text_rows(path):
        number = parse(row["_step"]) if row["_step"] else None
        step = number if isinstance(number, int) else None
        is_outside = (first is not None and (step is None or step < first)) or (
            last is not None and (step is None or step > last)
        )
        if not is_outside and any(row[name] for name in names):
            yield step, [parse(row[name]) if row[name] else None for name in shown]


@dataclass
class _Extreme:
    value: float
    step: int | None


def _summary(values: Sequence[tuple[int | None, Any]]) -> Answer:
    logged = [(step, value) for step, value in values if value is not None]
    numbers = [
        _Extreme(value, step)
        for step, value in logged
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    finite = [number for number in numbers if isfinite(number.value)]
    found: Answer = {"values": len(logged)}
    if logged:
        found |= {"first": logged[0][1], "last": logged[-1][1]}
    if finite:
        found["least"] = vars(min(finite, key=lambda number: number.value))
        found["greatest"] = vars(max(finite, key=lambda number: number.value))
    if len(finite) < len(numbers):
        found["not_finite"] = len(numbers) - len(finite)
    return found
