"""Read single values and curves from a run's metrics_history.csv."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from caduceus.io.cells import parse
from caduceus.io.csv_rows import cell_lists
from caduceus.runs.files.export import STEP
from caduceus.runs.goal import Goal

if TYPE_CHECKING:
    from caduceus.statistics.curves import AxisCurve


def read_curve(history: Path, metric: str) -> list[tuple[int, float]]:
    """Return the steps and values of a metric as logged; cells without a number are left out."""
    rows = _numbers(history, (STEP, metric))
    return [(int(at), value) for at, value in rows if at is not None and value is not None]


def value_at(history: Path, metric: str, axis: str, at: float) -> float | None:
    """Return the value of a metric at a value of an axis.

    On `_step` it is that of the last row at it or before. On another axis, which runs log at other
    values each, it is interpolated linearly between the rows before and after, as in a curve; after
    the last row with the metric it is that row's. NaN counts as a value, so that a run that has
    diverged by then gives NaN.

    Returns:
        None if no row with both is there, or if the run ends before.
    """
    rows = list(_numbers(history, (axis, metric)))
    with_metric = [row for row in rows if row[1] is not None]
    curve = _curve(with_metric)
    if not _curve(rows).reaches(at):
        return None
    return curve.value_before(at) if axis == STEP else curve.value_at(at)


def ends_before(history: Path, axis: str, at: float) -> bool:
    """Whether a run has the axis, but ends before a value of it."""
    whole = _curve(list(_numbers(history, (axis,))))
    return bool(len(whole.axis)) and not whole.reaches(at)


def _curve(rows: Sequence[Sequence[float | None]]) -> "AxisCurve":
    """Return the last of the columns over the first."""
    import numpy as np  # 0.1 s of CPU, which the checklist doesn't need

    from caduceus.statistics.curves import on_axis

    numbers = np.array([[math.nan if cell is None else cell for cell in row] for row in rows])
    numbers = numbers.reshape(len(rows), -1) if rows else np.empty((0, 1))
    return on_axis(numbers[:, 0], numbers[:, -1])


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
    for value, choice in _numbers(history, (metric, chooser)):
        last = last if value is None else value
        if choice is not None and goal.sign * choice < least:
            least, found = goal.sign * choice, last
    return found


def _numbers(history: Path, names: Sequence[str]) -> Iterator[tuple[float | None, ...]]:
    """Yield the columns of each row, None for no number; nothing if a column is missing."""
    lines = cell_lists(history)
    header = {name: place for place, name in enumerate(next(lines, []))}
    if all(name in header for name in names):
        places = [header[name] for name in names]
        for cells in lines:
            yield tuple(number_in(cells[place]) for place in places)


def number_in(cell: str | None) -> float | None:
    """Return the number in a cell, which may be NaN or infinite; None if it holds none."""
    value = parse(cell) if cell else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None
