"""Read single values and curves from a run's metrics_history.csv."""

import math
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caduceus.io.cells import parse
from caduceus.io.csv_rows import cell_lists, columns_of
from caduceus.runs.files.export import STEP
from caduceus.runs.goal import Goal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")  # in JSON
_WORDS = ["", "null", "true", "false"]  # cells that hold no number


@dataclass(frozen=True)
class Place:
    """The metric of a run at a value of an axis, and whether the run gets there.

    Attributes:
        value: that of the metric; None if no row with both is there, or if the run ends before.
        has_ended: whether the run has the axis, but ends before the value.
    """

    value: float | None
    has_ended: bool


def read_curve(history: Path, metric: str) -> list[tuple[int, float]]:
    """Return the steps and values of a metric as logged; cells without a number are left out."""
    rows = _numbers(history, (STEP, metric))
    return [(int(at), value) for at, value in rows if at is not None and value is not None]


def place_in(history: Path, metric: str, axis: str, at: float) -> Place:
    """Return what a run has at a value of an axis.

    On `_step` the metric is that of the last row at it or before. On another axis, which runs log
    at other values each, it is interpolated linearly between the rows before and after, as in a
    curve; after the last row with the metric it is that row's. NaN counts as a value, so that a run
    that has diverged by then gives NaN.
    """
    from caduceus.statistics.curves import on_axis  # numpy: 0.1 s, which the checklist doesn't need

    found = number_columns(history, [axis, metric]) or number_columns(history, [axis])
    if not found:
        return Place(None, False)
    places, values = found[0], found[-1]
    whole = on_axis(places.numbers, places.numbers)
    if not whole.reaches(at):
        return Place(None, bool(len(whole.axis)))
    if len(found) == 1:
        return Place(None, False)
    curve = on_axis(places.numbers[values.is_there], values.numbers[values.is_there])
    return Place(curve.value_before(at) if axis == STEP else curve.value_at(at), False)


def value_by_best(history: Path, metric: str, chooser: str, goal: Goal) -> float | None:
    """Return the value of a metric in the row where another is best, or the last one before.

    NaN counts as a value of the metric, but is never the best of the chooser.

    Args:
        history: metrics_history.csv.
        metric: the metric to return.
        chooser: the metric that chooses the row; of equal rows the first.
        goal: which values of the chooser are better.
    """
    import numpy as np

    found = number_columns(history, [metric, chooser])
    if not found:
        return None
    values, choices = found
    worse = np.where(np.isnan(choices.numbers), math.inf, goal.sign * choices.numbers)
    if not np.any(worse < math.inf):
        return None
    before = np.flatnonzero(values.is_there[: int(worse.argmin()) + 1])
    return float(values.numbers[before[-1]]) if len(before) else None


@dataclass(frozen=True)
class NumberColumn:
    """The cells of a column: their numbers, NaN where there is none, and where there is one."""

    numbers: "NDArray[np.float64]"
    is_there: "NDArray[np.bool_]"


def number_columns(history: Path, names: Sequence[str]) -> list[NumberColumn]:
    """Return columns of a history; none if one of them is missing."""
    if not set(names) <= set(columns_of(history)):
        return []
    # pyarrow reads a long history several times as fast. Its import pays off for many runs only.
    if "pyarrow" in sys.modules and (found := _arrow_columns(history, names)):
        return found
    import numpy as np

    rows = list(_numbers(history, names))
    found = []
    for place in range(len(names)):
        cells = [row[place] for row in rows]
        numbers = np.array([math.nan if cell is None else cell for cell in cells], float)
        found.append(NumberColumn(numbers, np.array([cell is not None for cell in cells], bool)))
    return found


def _arrow_columns(history: Path, names: Sequence[str]) -> list[NumberColumn]:
    """Return columns that pyarrow reads as numbers without a doubt; else none.

    It takes some texts, such as "nan(1)", for numbers that aren't finite.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    from caduceus.io.csv_columns import read_columns

    chosen = list(dict.fromkeys(names))
    convert = arrow_csv.ConvertOptions(
        include_columns=chosen, column_types=dict.fromkeys(chosen, pa.float64()), null_values=_WORDS
    )
    try:
        table = read_columns(history, convert)
    except pa.ArrowInvalid:  # a cell holds text
        return []
    found = {}
    for name in chosen:
        is_there = table[name].is_valid().to_numpy()
        numbers = table[name].to_numpy()
        if not np.isfinite(numbers[is_there]).all():
            return []
        found[name] = NumberColumn(numbers, is_there)
    return [found[name] for name in names]


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
    if not cell:
        return None
    if _NUMBER.fullmatch(cell):
        return float(cell)
    value = parse(cell)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None
