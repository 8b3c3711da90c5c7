"""The order of the columns of metrics_history.csv."""

TIME_COLUMNS = ("_runtime", "_timestamp")


def column_order(name: str) -> tuple[int, str]:
    """Return the sort key of a column: `_step`, then metrics by name, then the time columns."""
    return (name != "_step") + (name in TIME_COLUMNS), name
