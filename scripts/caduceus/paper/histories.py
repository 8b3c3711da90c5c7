"""Single values and curves out of a run's metrics_history.csv."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from caduceus.rendering import parse


def read_curve(history: Path, metric: str) -> list[tuple[int, float]]:
    """The steps and values of a metric, as they were logged; what is no number is left out."""
    return [(step, value) for step, value, _ in _rows(history, metric, metric)]


def value_at(history: Path, metric: str, step: int) -> float | None:
    """The value of a metric at a step, or the last one logged before; None if there is none."""
    found = [value for at, value in read_curve(history, metric) if at <= step]
    return found[-1] if found else None


def value_by_best(history: Path, metric: str, chooser: str, goal: str) -> float | None:
    """The value of a metric where another is best: in that row, or the last one logged before.

    Args:
        history: metrics_history.csv.
        metric: whose value is wanted.
        chooser: the metric that is best there; of equals the first.
        goal: "maximize" or "minimize" the chooser.
    """
    sign = 1.0 if goal == "maximize" else -1.0
    best, found, last = -math.inf, None, None
    for _, value, choice in _rows(history, metric, chooser):
        last = last if math.isnan(value) else value
        if not math.isnan(choice) and sign * choice > best:
            best, found = sign * choice, last
    return found


def _rows(history: Path, metric: str, chooser: str) -> Iterator[tuple[int, float, float]]:
    """Each row's step and the two metrics, NaN for no number; rows with neither are left out."""
    with history.open(newline="") as stream:
        reader = csv.reader(stream)
        header = {name: place for place, name in enumerate(next(reader))}
        if metric not in header or chooser not in header:
            return
        step_at, metric_at, chooser_at = (header[n] for n in ("_step", metric, chooser))
        for cells in reader:
            value, choice = _number(cells[metric_at]), _number(cells[chooser_at])
            if not (math.isnan(value) and math.isnan(choice)):
                yield int(cells[step_at]), value, choice


def _number(cell: str) -> float:
    """A cell's number, NaN for any other."""
    value = parse(cell) if cell else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return math.nan
