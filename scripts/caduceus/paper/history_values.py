"""Single values and curves out of a run's metrics_history.csv."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from caduceus.io.cells import parse
from caduceus.runs.goal import Goal


def read_curve(history: Path, metric: str) -> list[tuple[int, float]]:
    """The steps and values of a metric, as they were logged; what is no number is left out."""
    rows = _rows(history, metric, metric)
    return [(step, value) for step, value, _ in rows if value is not None]


def value_at(history: Path, metric: str, step: int) -> float | None:
    """The value of a metric at a step, or the last one logged before; None if there is none.

    A run that has diverged by then has NaN there, not what it had before.
    """
    found = [value for at, value in read_curve(history, metric) if at <= step]
    return found[-1] if found else None


def value_by_best(history: Path, metric: str, chooser: str, goal: Goal) -> float | None:
    """The value of a metric where another is best: in that row, or the last one logged before.

    NaN is a value; as one of the other it is never the best.

    Args:
        history: metrics_history.csv.
        metric: whose value is wanted.
        chooser: the metric that is best there; of equals the first.
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
    """Each row's step and the two metrics, None for no number; rows with neither are left out."""
    with history.open(newline="") as stream:
        reader = csv.reader(stream)
        header = {name: place for place, name in enumerate(next(reader))}
        if metric not in header or chooser not in header:
            return
        step_at, metric_at, chooser_at = (header[n] for n in ("_step", metric, chooser))
        for cells in reader:
            value, choice = number_in(cells[metric_at]), number_in(cells[chooser_at])
            if value is not None or choice is not None:
                yield int(cells[step_at]), value, choice


def number_in(cell: str | None) -> float | None:
    """The number in a cell, NaN and infinities too; None if there is no number."""
    value = parse(cell) if cell else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None
