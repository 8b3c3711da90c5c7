"""Which runs, rows and pages a query gets: filters, orders, samples, cursors."""

import json
import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from .nodes import Run

MISSING = object()
_ATTRIBUTES = {
    *("name", "display_name", "notes", "tags", "group", "job_type", "sweep_name", "state"),
    *("host", "commit", "created_at", "updated_at", "heartbeat_at"),
}


def snake_case(name: str) -> str:
    return re.sub("(?<=[a-z0-9])[A-Z]+", lambda found: "_" + found[0].lower(), name)


class Given(dict[str, Any]):
    """A field's arguments by their names in snake case; one that wasn't given is None."""

    __getattr__ = dict.get

    @classmethod
    def of(cls, arguments: dict[str, Any]) -> "Given":
        return cls((snake_case(name), value) for name, value in arguments.items())


def value_at(values: dict[str, Any], path: str) -> Any:
    """A value by its dotted path; a key may itself have dots."""
    if path in values:
        return values[path]
    for place in (found.start() for found in re.finditer(r"\.", path)):
        inner = values.get(path[:place])
        if isinstance(inner, dict):
            return value_at(inner, path[place + 1 :])
    return MISSING


def value_of(run: Run, key: str) -> Any:
    """What a filter or an order means by a key."""
    source, _, path = key.partition(".")
    if source == "config":
        value = value_at(run.config, path)
        return value_at(run.config, path.removesuffix(".value")) if value is MISSING else value
    if snake_case(source) == "summary_metrics":
        return value_at(run.summary, path)
    name = "sweep_name" if key == "sweep" else snake_case(key)
    if name not in _ATTRIBUTES:
        raise ValueError(f"{key} is nothing to filter or order runs by")
    return getattr(run, name)


def _equals(value: Any, wanted: Any) -> bool:
    if isinstance(value, list) and not isinstance(wanted, list):
        return wanted in value
    return (None if value is MISSING else value) == wanted


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _equals,
    "$ne": lambda value, wanted: not _equals(value, wanted),
    "$in": lambda value, wanted: any(_equals(value, one) for one in wanted),
    "$nin": lambda value, wanted: not any(_equals(value, one) for one in wanted),
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
    "$regex": lambda value, wanted: re.search(wanted, value) is not None,
    "$exists": lambda value, wanted: (value is not MISSING) == wanted,
    "$not": lambda value, wanted: not _holds(value, wanted),
}


def _holds(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return _equals(value, wanted)
    try:
        return all(_OPERATORS[name](value, operand) for name, operand in wanted.items())
    except TypeError:  # nothing is more or less than a value of another type
        return False


def matches(run: Run, filters: dict[str, Any]) -> bool:
    """Whether a run passes filters in Mongo's style."""
    groups = {"$and": all, "$or": any, "$nor": lambda found: not any(found)}
    return all(
        groups[key](matches(run, inner) for inner in wanted)
        if key in groups
        else _holds(value_of(run, key), wanted)
        for key, wanted in filters.items()
    )


def select(runs: Iterable[Run], filters: str | None, order: str | None) -> list[Run]:
    wanted = json.loads(filters or "{}") or {}
    found = [run for run in runs if matches(run, wanted)]
    key = (order or "created_at").lstrip("+-")

    def rank(run: Run) -> tuple[bool, bool, Any]:
        value = value_of(run, key)
        is_missing = value is MISSING or value is None
        return is_missing, isinstance(value, str), 0 if is_missing else value

    return sorted(found, key=rank, reverse=(order or "").startswith("-"))


def evenly(items: list[Any], samples: int | None) -> list[Any]:
    """At most so many, the first and the last among them."""
    if samples is None or len(items) <= samples:
        return items
    return [items[place * (len(items) - 1) // max(samples - 1, 1)] for place in range(samples)]


def sampled(run: Run, spec_text: str) -> list[dict[str, Any]]:
    """The rows that have all keys of a spec, and nothing of them but these."""
    spec = {"minStep": -math.inf, "maxStep": math.inf, "samples": None} | json.loads(spec_text)
    rows = []
    for row in run.history if "keys" in spec else []:
        found = {key: value_at(row, key) for key in spec["keys"]}
        is_within = spec["minStep"] <= row.get("_step", -1) <= spec["maxStep"]
        if is_within and MISSING not in found.values():
            rows.append(_spelled(found))
    return evenly(rows, spec["samples"])


def _spelled(value: Any) -> Any:
    """With strings for the numbers for which strict JSON has no word."""
    if isinstance(value, dict):
        return {key: _spelled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_spelled(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def page(items: list[Any], first: int | None = None, after: str | None = None) -> dict[str, Any]:
    """A connection: so many items after the one whose id this is."""
    start = 1 + [item.id for item in items].index(after) if after else 0
    stop = len(items) if first is None else start + first
    edges = [{"node": item, "cursor": item.id} for item in items[start:stop]]
    end = edges[-1]["cursor"] if edges else None
    return {
        "edges": edges,
        "page_info": {"has_next_page": stop < len(items), "end_cursor": end},
        "total_count": len(items),
    }
