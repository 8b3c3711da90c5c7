"""The order of the columns of metrics_history.csv."""

from collections.abc import Iterable

TIME_COLUMNS = ("_runtime", "_timestamp")


def timeless(columns: Iterable[str]) -> list[str]:
    """Return the columns that two equal runs have in common: all but the time columns."""
    return [name for name in columns if name not in TIME_COLUMNS]


def has_metrics(columns: Iterable[str]) -> bool:
    """Whether there is a column besides the step and the times."""
    return timeless(columns) != ["_step"]


def column_order(name: str) -> tuple[int, str]:
    """Return the sort key of a column: `_step`, then metrics by name, then the time columns."""
    return (name != "_step") + (name in TIME_COLUMNS), name
