"""The order of the columns of metrics_history.csv, and which of them tell equal rows."""

from collections.abc import Iterable

from caduceus.runs.metric_names import is_incidental

TIME_COLUMNS = ("_runtime", "_timestamp")


def timeless(columns: Iterable[str]) -> list[str]:
    """Return the columns that two equal runs have in common: all but the time columns."""
    return [name for name in columns if name not in TIME_COLUMNS]


def _essential(columns: Iterable[str]) -> list[str]:
    """Return the columns that say what was learnt, by the words in their names."""
    return [name for name in timeless(columns) if not is_incidental(name)]


# The columns that tell equal rows: the first of these sets in which a number has a fraction. Where
# none has, as in a benchmark that measures times of given sizes, the times count too.
COMPARED = (_essential, timeless)


def has_metrics(columns: Iterable[str]) -> bool:
    """Whether there is a column besides the step and the times."""
    return timeless(columns) != ["_step"]


def column_order(name: str) -> tuple[int, str]:
    """Return the sort key of a column: `_step`, then metrics by name, then the time columns."""
    return (name != "_step") + (name in TIME_COLUMNS), name
