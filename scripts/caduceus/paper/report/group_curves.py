"""Read the curves of a group, a few variants at a time, which bounds the memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from caduceus.exports.group_history import has_numbers
from caduceus.paper.history_values import number_in
from caduceus.statistics.curves import Curve, on_axis
from caduceus.statistics.samples import Array

MOST_CELLS = 4_000_000  # 32 MB

Drawn: TypeAlias = tuple[str, str]  # a metric and its axis


@dataclass(frozen=True)
class VariantCurves:
    """The curves of a variant.

    Attributes:
        variant: its index.
        drawn: the metric and the axis.
        curves: by the index of each run that has finite values.
    """

    variant: int
    drawn: Drawn
    curves: Mapping[int, Curve]


@dataclass(frozen=True)
class _Part:
    """A row group, which has rows of one run."""

    place: int
    run: int
    variant: int
    rows: int


def read_curves(
    file: pq.ParquetFile,
    runs: Mapping[str, int],
    variant_of: Mapping[int, int],
    drawn: Sequence[Drawn],
    most_cells: int = MOST_CELLS,
) -> Iterator[VariantCurves]:
    """Yield the curves of a group, all of a variant together.

    Args:
        file: its history.parquet, in which each row group has rows of one run.
        runs: the index of each run, by its id.
        variant_of: the index of the variant of each run.
        drawn: the metrics and axes to read; the group may lack some.
        most_cells: how many are read at once; one metric of one variant may have more.

    Raises:
        KeyError: the file has a run that isn't in `runs`.
    """
    numbers = number_columns(file.schema_arrow)
    drawn = [pair for pair in drawn if numbers.issuperset(pair)]
    parts = sorted(_parts(file, runs, variant_of), key=lambda part: part.variant)
    most = most_cells // max(len(_columns(drawn)), 1)
    for batch in _batches(parts, most):
        by_metric = [list(pairs) for _, pairs in groupby(drawn, key=lambda pair: pair[0])]
        fits = sum(part.rows for part in batch) <= most
        for pairs in [drawn] if fits else by_metric:
            yield from _read(file, batch, pairs)


def number_columns(schema: pa.Schema) -> frozenset[str]:
    """Return the names of the columns that have numbers."""
    return frozenset(column.name for column in schema if has_numbers(column))


def _columns(drawn: Sequence[Drawn]) -> list[str]:
    return list(dict.fromkeys(name for pair in drawn for name in pair))


def _parts(
    file: pq.ParquetFile, runs: Mapping[str, int], variant_of: Mapping[int, int]
) -> Iterator[_Part]:
    column = file.schema_arrow.names.index("run")
    for place in range(file.num_row_groups):
        part = file.metadata.row_group(place)
        if part.num_rows:
            found = part.column(column).statistics
            has_range = found is not None and found.has_min_max
            ids = [found.min] if has_range else _ids(file, place)
            run = runs[ids[0]]
            yield _Part(place, run, variant_of[run], part.num_rows)


def _ids(file: pq.ParquetFile, place: int) -> list[str]:
    ids: list[str] = file.read_row_group(place, columns=["run"])["run"].to_pylist()
    return ids


def _batches(parts: Sequence[_Part], most: int) -> Iterator[list[_Part]]:
    """Yield parts of whole variants, with at most that many rows if one variant has no more."""
    batch: list[_Part] = []
    for _, members in groupby(parts, key=lambda part: part.variant):
        found = list(members)
        if batch and sum(part.rows for part in (*batch, *found)) > most:
            yield batch
            batch = []
        batch += found
    if batch:
        yield batch


def _read(
    file: pq.ParquetFile, parts: Sequence[_Part], drawn: Sequence[Drawn]
) -> Iterator[VariantCurves]:
    names = _columns(drawn)
    table = file.read_row_groups([part.place for part in parts], columns=names)
    columns = {name: _floats(table[name]) for name in names}
    start = 0
    for variant, members in groupby(parts, key=lambda part: part.variant):
        found: dict[Drawn, dict[int, Curve]] = {pair: {} for pair in drawn}
        for run, own in groupby(members, key=lambda part: part.run):
            stop = start + sum(part.rows for part in own)
            rows = {name: values[start:stop] for name, values in columns.items()}
            for pair, curve in _curves(rows, drawn):
                found[pair][run] = curve
            start = stop
        for pair, curves in found.items():
            if curves:
                yield VariantCurves(variant, pair, curves)


def _floats(column: pa.ChunkedArray) -> Array:
    """Return the numbers of a column, NaN where a cell holds none.

    Whole numbers beyond 2^53, such as times in ns, become the nearest float.
    """
    if pa.types.is_string(column.type):
        numbers = map(number_in, column.to_pylist())
        column = pa.chunked_array([pa.array(numbers, pa.float64())])
    floats: Array = column.cast(pa.float64(), safe=False).to_numpy()
    return floats


def _curves(rows: Mapping[str, Array], drawn: Sequence[Drawn]) -> Iterator[tuple[Drawn, Curve]]:
    """Yield a run's curves over finite values."""
    complete: dict[str, NDArray[np.intp]] = {}  # by axis, the rows that count of a whole column
    for metric, axis in drawn:
        values, steps = rows[metric], rows[axis]
        is_there = np.isfinite(values)
        if is_there.all():
            if axis not in complete:
                complete[axis] = _counted(steps, np.arange(len(steps)))
            places = complete[axis]
        else:
            places = _counted(steps, np.flatnonzero(is_there))
        if len(places):
            yield (metric, axis), (steps[places], values[places])


def _counted(steps: Array, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return those of the rows that no later row replaces, in the order of the axis."""
    return on_axis(steps[places], places.astype(float)).values.astype(np.intp)
