"""Read single values and curves from a run's metrics_history.csv."""

import math
from collections.abc import Iterator
from pathlib import Path

from caduceus.io.cells import parse
from caduceus.io.csv_rows import cell_lists
from caduceus.runs.goal import Goal


def read_curve(history: Path, metric: str) -> list[tuple[int, float]]:
    """Return the steps and values of a metric as logged; cells without a number are left out."""
    rows = _rows(history, metric, metric)
    return [(step, value) for step, value, _ in rows if value is not None]


def value_at(history: Path, metric: str, step: int) -> float | None:
    """Return the value of a metric at a step, or the last one before; None if there is none.

    NaN counts as a value, so that a run that has diverged by then gives NaN.
    """
    values = [value for at, value in read_curve(history, metric) if at <= step]
    return values[-1] if values else None


def value_by_best(history: Path, metric: str, chooser: str, goal: Goal) -> float | None:
    """Return the value of a metric in the row where another is best, or the last one before.

    NaN counts as a value of the metric, but is never the best of the chooser.

    Args:
        history: metrics_history.csv.
        metric: the metric to return.
        chooser: the metric that chooses the row; of equal rows the first.
        goal: which values of the chooser are better.
    """
    least, found, last = math.inf, None, None
    for _, value, choice in _rows(history, metric, chooser):
        last = last if value is None else value
        if choice is not None and goal.sign * choice < least:
            least, found = goal.sign * choice, last
    return found


def _rows(
    history: Path, metric: str, chooser: str
) -> Iterator[tuple[int, float | None, float | None]]:
    """Yield each row's step and the two metrics, None for no number; skip rows with neither."""
    lines = cell_lists(history)
    header = {name: place for place, name in enumerate(next(lines))}
    if metric not in header or chooser not in header:
        return
    step_at, metric_at, chooser_at = (header[n] for n in ("_step", metric, chooser))
    for cells in lines:
        value, choice = number_in(cells[metric_at]), number_in(cells[chooser_at])
        if value is not None or choice is not None:
            yield int(cells[step_at]), value, choice


def number_in(cell: str | None) -> float | None:
    """Return the number in a cell, which may be NaN or infinite; None if it holds none."""
    value = parse(cell) if cell else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None
