"""The tool that returns runs as a table."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.errors import CaduceusError
from caduceus.overview.mcp.answers import Answer, choose, page, some, units
from caduceus.overview.mcp.own_keys import is_own_key
from caduceus.project.listed_runs import find_runs
from caduceus.project.planned import configured_plans
from caduceus.runs.hidden_settings import shown

_DEFAULT = ("run", "experiment", "variant", "seed", "state", "error")
_LAST = ("runtime_s",)
_MOST_COLUMNS = 12  # shown by default
_SINGLE = (
    "each row is one run of one seed, so the first of a sorted table may be the luckiest; "
    "use compare_groups to compare variants"
)


def query_runs(
    results: Path,
    experiment: str | None = None,
    group: str | None = None,
    state: str | None = None,
    where: dict[str, Any] | None = None,
    columns: list[str] | None = None,
    sort: str | None = None,
    offset: int = 0,
    limit: int = 20,
) -> Answer:
    """Return runs as rows: filtered, sorted, chosen columns, in pages.

    Args:
        experiment: id of an experiment.
        group: a W&B group.
        state: finished, failed, running, interrupted, to do, to export or skipped.
        where: for columns, a value, a list of values, or {"min": …, "max": …}; such as
            {"config.rate": 0.1, "val/accuracy": {"min": 0.9}}.
        columns: such as run, config.rate, summary.val/accuracy, wall_s; config. and summary. may
            be left out. By default the run, the parameters that vary, and its experiment's metric.
        sort: a column; with - before it in descending order. Runs without a value come last.
        offset: how many rows to skip.
        limit: how many rows at most.

    Returns:
        total, columns, rows in the order of columns, units, more; other_columns that exist.
    """
    records = find_runs(results, *([name] if name else [] for name in (experiment, group)))
    rows: list[Mapping[str, Any]] = [record.row for record in records]
    known = list(dict.fromkeys(name for row in rows for name in row))
    if state is not None:
        rows = [row for row in rows if row["state"] == state]
    for name, wanted in (where or {}).items():
        column, fits = choose(name, known, "column"), _condition(wanted)
        rows = [row for row in rows if fits(row.get(column))]
    chosen = [choose(name, known, "column") for name in columns or ()] or _columns(rows, results)
    if sort is not None:
        rows = _sorted(rows, choose(sort.removeprefix("-"), known, "column"), sort[0] == "-")
    cells = [[shown(name, row.get(name)) for name in chosen] for row in rows]
    answer: Answer = {"columns": chosen} | page("rows", cells, offset, limit)
    if sort is not None and "summary." in choose(sort.removeprefix("-"), known, "column"):
        answer["note"] = _SINGLE
    answer["units"] = units(chosen)
    if columns is None:
        answer["other_columns"] = some([name for name in known if name not in chosen], 60)
    return answer


def _condition(wanted: Any) -> Callable[[Any], bool]:
    """Return the test of a cell that an entry of `where` means."""
    if isinstance(wanted, Mapping):
        if not wanted or set(wanted) - {"min", "max"}:
            raise CaduceusError(
                f"where: found {dict(wanted)}, allowed: a value, a list, or min and max"
            )
        low, high = wanted.get("min"), wanted.get("max")
        return lambda cell: (
            _is_number(cell)
            and not ((low is not None and cell < low) or (high is not None and cell > high))
        )
    allowed = wanted if isinstance(wanted, list) else [wanted]
    return lambda cell: any(
        cell == value and isinstance(cell, bool) == isinstance(value, bool) for value in allowed
    )


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _sorted(
    rows: Sequence[Mapping[str, Any]], column: str, is_descending: bool
) -> list[Mapping[str, Any]]:
    def has_value(row: Mapping[str, Any]) -> bool:
        value = row.get(column)
        return value is not None and value == value  # NaN can't be ordered

    def key(row: Mapping[str, Any]) -> tuple[bool, Any]:
        value = row[column]
        return not _is_number(value), value if _is_number(value) else str(value)

    known = sorted(filter(has_value, rows), key=key, reverse=is_descending)
    return [*known, *(row for row in rows if not has_value(row))]


def _columns(rows: Sequence[Mapping[str, Any]], results: Path) -> list[str]:
    """Return the default columns: the run, varying parameters, and its experiment's metric."""
    present = [name for name in _DEFAULT if any(row.get(name) is not None for row in rows)]
    experiments = {row["experiment"] for row in rows}
    specs = {plan.spec.id: plan.spec for plan in configured_plans(results)}
    metrics = [
        f"summary.{spec.metric.name}"
        for spec in specs.values()
        if spec.id in experiments and spec.metric
    ]
    names = dict.fromkeys(name for row in rows for name in row if name.startswith("config."))
    varies = [
        name
        for name in names
        if len({str(row.get(name)) for row in rows}) > 1
        and not all(
            is_own_key(name.removeprefix("config."), row.get(name), row, specs) for row in rows
        )
    ]
    chosen = [*present, *dict.fromkeys(metrics), *varies]
    return [*chosen[: _MOST_COLUMNS - len(_LAST)], *_LAST]
