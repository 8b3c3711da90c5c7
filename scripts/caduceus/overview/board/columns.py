"""Columns of numbers that grow with a run, thinned where they would take too much memory."""

from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from caduceus.paper.report.packing import thin
from caduceus.statistics.samples import Array

MOST_POINTS = 1 << 17  # of a column, after which it is thinned to half as many


@dataclass
class Column:
    """The numbers of a metric and the rows that have them.

    Attributes:
        rows: the index of each row, increasing.
        values: the number in it, which may be NaN or infinite.
        thinned: how often it was thinned.
    """

    rows: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    thinned: int = 0

    def add(self, row: int, value: float) -> None:
        """Add the number of a later row."""
        self.rows.append(row)
        self.values.append(value)
        if len(self.rows) > MOST_POINTS:
            self._thin()

    @property
    def bytes(self) -> int:
        """The memory that it takes."""
        return 16 * len(self.rows)

    def arrays(self) -> tuple[NDArray[np.int64], Array]:
        """Return copies of rows and values, both (n,): the column itself may grow meanwhile."""
        return np.array(self.rows, np.int64), np.array(self.values, np.float64)

    def _thin(self) -> None:
        rows, values = self.arrays()
        kept = thinned(values, MOST_POINTS // 2)
        self.rows, self.values = array("q", rows[kept]), array("d", values[kept])
        self.thinned += 1


def thinned(values: Array, most: int) -> NDArray[np.intp]:
    """Return the indices that a picture of `values`, (n,), needs, in order; about `most`.

    Of finite values these are M4's (see `packing.thin`); of a stretch of others its two ends.
    """
    is_finite = np.isfinite(values)
    if is_finite.all():
        return thin(values[None], most)
    if not is_finite.any():
        return np.unique([0, len(values) - 1]).astype(np.intp)
    known = np.flatnonzero(is_finite)
    nearest = known[np.clip(np.searchsorted(known, np.arange(len(values))), 0, len(known) - 1)]
    changes = np.flatnonzero(np.diff(is_finite))
    ends = np.concatenate([changes, changes + 1, [0, len(values) - 1]])
    ends = ends[~is_finite[ends]]
    if len(ends) > most:  # NaN in every second row: any choice shows it
        ends = ends[np.linspace(0, len(ends) - 1, most).astype(int)]
    return np.union1d(thin(values[nearest][None], most), ends)


def join(axis: Column, metric: Column) -> tuple[Array, Array]:
    """Return a metric's places on an axis and its values, by row, both (n,).

    Rows without a number on the axis are left out. Of an axis that was thinned the places between
    are interpolated by row.
    """
    rows, values = metric.arrays()
    places, at = axis.arrays()
    if not len(places) or not len(rows):
        return np.empty(0), np.empty(0)
    if axis.thinned:
        return np.interp(rows, places, at), values
    found = np.minimum(np.searchsorted(places, rows), len(places) - 1)
    is_there = places[found] == rows
    return at[found[is_there]], values[is_there]
