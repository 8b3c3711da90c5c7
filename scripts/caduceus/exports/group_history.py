"""The history of a group as Parquet: the rows of all its runs, with their types."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from itertools import accumulate, chain, pairwise, repeat
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from caduceus.io.csv_columns import read_columns
from caduceus.io.csv_rows import columns_of
from caduceus.io.files import MADE_AGAIN, Json, damaged
from caduceus.runs.files.export import STEP, DefinedMetric

ABOUT = ("run", "experiment", "variant", "seed")

_AXES = b"axes"  # key of the schema's metadata
_NUMBERS = b"numbers"  # key of a field's metadata

_INT = r"^-?[0-9]+$"
_FLOAT = r"^(-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?|NaN|-?Infinity)$"
_BOOL = "^(true|false)$"
_JSON = r'^["\[{]'
_NUMERIC = frozenset(("int", "big", "huge", "float"))  # of the kinds of cells
_EXACT_INT = 2**53  # a float column holds whole numbers up to here exactly

# In bytes of CSV. Runs are read together, as a call of pyarrow takes longer than the rows of most.
BATCH_BYTES = 8 << 20
KEPT_BYTES = 64 << 20


@dataclass(frozen=True)
class RunHistory:
    """A run of the group.

    Attributes:
        about: the values of `ABOUT` for its rows.
        csv: its metrics_history.csv.
        defined: what the program said of metrics by `define_metric`, by column.
    """

    about: Mapping[str, Json]
    csv: Path
    defined: Mapping[str, DefinedMetric] = field(default_factory=dict)


def write_history(
    runs: Sequence[RunHistory],
    path: Path,
    batch_bytes: int = BATCH_BYTES,
    kept_bytes: int = KEPT_BYTES,
) -> None:
    """Write every row of `runs` to a Parquet file, with one row group for each run.

    A column is bool, int64, float64 or text: the narrowest type that holds every value of every run
    exactly. A column of mixed kinds holds the text of its cells; `has_numbers` tells whether some
    of them are numbers. A metric of one of the names in `ABOUT` is called `logged.NAME`. The
    metadata of the schema holds what `read_axes` returns.

    Args:
        runs: one or more.
        path: the file.
        batch_bytes: how much CSV is read at a time, or one run if it has more.
        kept_bytes: how much CSV is kept in memory between finding the types and writing the rows;
            what is beyond is read twice.
    """
    batches = _batches(runs, batch_bytes, kept_bytes)
    plan = _plan(runs, batches)
    if about := declared_axes(runs):
        plan = replace(plan, schema=plan.schema.with_metadata({_AXES: json.dumps(about)}))
    part = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(part, plan.schema) as writer:
        for batch in batches:
            cells = batch.read()
            table = plan.table(batch.runs, cells)
            for start, end in pairwise(accumulate(cells.rows, initial=0)):
                writer.write_table(table.slice(start, end - start))
    part.replace(path)


def write_failed_history(path: Path, error: str) -> None:
    """Write a Parquet file that holds an error in place of rows, in the one column `error`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"error": [error]}), path)


def read_axes(path: Path) -> Mapping[str, list[str]]:
    """Return the axes of metrics in a file of `write_history`.

    Returns:
        By metric the different axes that its runs declare, `_step` for none, or an empty list if
        they hide it. A metric is missing if all its runs have `_step`.
    """
    metadata = pq.read_schema(path).metadata or {}
    return dict(json.loads(metadata.get(_AXES, b"{}")))


def has_numbers(column: pa.Field) -> bool:
    """Whether cells of a column of `write_history` are numbers, also beside texts."""
    kinds = pa.types
    if kinds.is_floating(column.type) or kinds.is_integer(column.type):
        return True
    return _NUMBERS in (column.metadata or {})


def declared_axes(runs: Sequence[RunHistory]) -> dict[str, list[str]]:
    """Return the axes of the metrics of `runs`, as `read_axes` does."""
    found: dict[str, list[DefinedMetric]] = {}
    for run in runs if any(run.defined for run in runs) else ():
        for column in columns_of(run.csv):
            definition = run.defined.get(column, DefinedMetric())
            found.setdefault(_renamed(column), []).append(definition)
    axes = {
        name: list(dict.fromkeys(_renamed(each.step_metric or STEP) for each in defined))
        for name, defined in found.items()
    }
    hidden = {name for name, defined in found.items() if all(each.hidden for each in defined)}
    return {
        name: [] if name in hidden else of
        for name, of in axes.items()
        if name in hidden or of != [STEP]
    }


def read_history(
    runs: Sequence[RunHistory],
    metrics: Collection[str] | None = None,
    axes: Collection[str] = (),
) -> pa.Table:
    """Return every row of `runs`, with the types of `write_history`.

    Args:
        runs: one or more.
        metrics: the metrics to read, in rows in which one of them was logged; None for all.
        axes: further columns to read beside `metrics`.
    """
    wanted = None if metrics is None else {"_step", *metrics, *axes}
    batches = _batches(runs, BATCH_BYTES, None, wanted)
    plan = _plan(runs, batches)
    table = pa.concat_tables([plan.table(batch.runs, batch.read()) for batch in batches])
    if metrics is None:
        return table
    logged = [pc.is_valid(table[name]) for name in table.column_names if name in metrics]
    return table.filter(reduce(pc.or_, logged)) if logged else table.slice(0, 0)


def history_columns(run: RunHistory) -> list[str]:
    """Return the columns of a run's history, under the names of `write_history`."""
    return list(map(_renamed, columns_of(run.csv)))


@dataclass(frozen=True)
class _Cells:
    """The text of the cells of several runs: by run, then by column."""

    columns: Sequence[Mapping[str, pa.ChunkedArray]]

    @cached_property
    def rows(self) -> list[int]:
        """The number of rows of each run."""
        return [len(columns["_step"]) for columns in self.columns]

    def of(self, name: str) -> pa.ChunkedArray:
        """Return a column of all runs; null where a run lacks it."""
        chunks: list[pa.Array] = []
        for columns, rows in zip(self.columns, self.rows, strict=True):
            chunks += columns[name].chunks if name in columns else [pa.nulls(rows, pa.string())]
        return pa.chunked_array(chunks, pa.string())


@dataclass
class _Batch:
    """Runs whose histories are read together.

    Attributes:
        runs: one or more.
        wanted: the columns to read; None for all.
        is_kept: whether the cells stay in memory, or are read again when they are needed again.
    """

    runs: list[RunHistory]
    wanted: Collection[str] | None
    is_kept: bool
    _kept: _Cells | None = None

    def read(self) -> _Cells:
        """Return the cells of the runs."""
        read = self._kept or _Cells([dict(_read(run.csv, self.wanted)) for run in self.runs])
        self._kept = read if self.is_kept else None
        return read


def _batches(
    runs: Sequence[RunHistory],
    batch_bytes: int,
    kept_bytes: int | None,
    wanted: Collection[str] | None = None,
) -> list[_Batch]:
    """Divide runs into batches; those within the first `kept_bytes` are kept, or all for None."""
    found: list[_Batch] = []
    read = size = 0
    for run in runs:
        length = run.csv.stat().st_size
        if not found or size + length > batch_bytes:
            found.append(_Batch([], wanted, kept_bytes is None or read + length <= kept_bytes))
            size = 0
        found[-1].runs.append(run)
        size += length
        read += length
    return found


@dataclass(frozen=True)
class _Plan:
    """The columns of several runs: their types, and the kinds of cells in each."""

    schema: pa.Schema
    kinds: Mapping[str, set[str]]

    def table(self, runs: Sequence[RunHistory], cells: _Cells) -> pa.Table:
        """Return the rows of runs, in their order."""
        arrays = [
            pa.array(_repeated([run.about[field.name] for run in runs], cells.rows), field.type)
            if field.name in ABOUT
            else _convert(cells.of(field.name), field.type, self.kinds[field.name])
            for field in self.schema
        ]
        return pa.Table.from_arrays(arrays, schema=self.schema)


def _plan(runs: Sequence[RunHistory], batches: Iterable[_Batch]) -> _Plan:
    kinds: dict[str, set[str]] = {}
    for batch in batches:
        cells = batch.read()
        for name in dict.fromkeys(name for columns in cells.columns for name in columns):
            kinds.setdefault(name, set()).update(_kinds(cells.of(name)))
    about = {
        name: {type(run.about[name]).__name__ for run in runs if run.about[name] is not None}
        for name in ABOUT
    }
    fields = [
        *(pa.field(name, _type(found)) for name, found in about.items()),
        *(_column(name, found) for name, found in kinds.items()),
    ]
    return _Plan(pa.schema(fields), kinds)


def _repeated(values: Sequence[Json], counts: Sequence[int]) -> list[Json]:
    """Return each value as often as its count says."""
    return list(chain.from_iterable(map(repeat, values, counts)))


def _renamed(name: str) -> str:
    return f"logged.{name}" if name in ABOUT else name


def _read(
    path: Path, wanted: Collection[str] | None = None
) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Yield the columns of a CSV file of canonical cells as text; null where there is no cell.

    Raises:
        ResultError: it isn't CSV, or has no steps.
    """
    header = columns_of(path)
    if "_step" not in header:
        raise damaged(path, "it lacks the column _step", MADE_AGAIN)
    if wanted is not None:
        header = [name for name in header if _renamed(name) in wanted]
    convert = pa_csv.ConvertOptions(
        include_columns=header,
        column_types=dict.fromkeys(header, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    try:
        table = read_columns(path, convert)
    except pa.ArrowInvalid as error:
        raise damaged(path, f"not CSV ({error})", MADE_AGAIN) from None
    for name in table.column_names:
        yield _renamed(name), table.column(name)


def _kinds(column: pa.ChunkedArray) -> set[str]:
    """Return the kinds of cells in a column.

    They are int, big (an integer beyond 2^53), huge (beyond 64 bits), float, bool, str and json. A
    logged None counts as no value.
    """
    cells = column.drop_null().filter(pc.not_equal(column.drop_null(), "null"))
    kinds = set()
    for kind, pattern in (("int", _INT), ("float", _FLOAT), ("bool", _BOOL), ("json", _JSON)):
        matching = pc.match_substring_regex(cells, pattern)
        found = cells.filter(matching)
        cells = cells.filter(pc.invert(matching))
        if not len(found):
            continue
        if kind == "int":
            kinds |= {"int", *_sizes(found)}
        elif kind == "json":
            kinds |= {"str" if cell.startswith('"') else "json" for cell in found.to_pylist()}
        else:
            kinds.add(kind)
    return kinds | ({"str"} if len(cells) else set())


def _sizes(cells: pa.ChunkedArray) -> set[str]:
    try:
        largest = pc.max(pc.abs_checked(cells.cast(pa.int64()))).as_py()
    except pa.ArrowInvalid:
        return {"huge"}
    return {"big"} if largest > _EXACT_INT else set()


def _type(kinds: set[str]) -> pa.DataType:
    if kinds and kinds <= {"bool"}:
        return pa.bool_()
    if kinds and kinds <= {"int", "big"}:
        return pa.int64()
    if kinds and kinds <= {"int", "float"}:
        return pa.float64()
    return pa.string()


def _column(name: str, kinds: set[str]) -> pa.Field:
    kind = _type(kinds)
    is_mixed = kind == pa.string() and kinds & _NUMERIC
    return pa.field(name, kind, metadata={_NUMBERS: b""} if is_mixed else None)


def _convert(column: pa.ChunkedArray, kind: pa.DataType, kinds: set[str]) -> pa.Array:
    cells = column.combine_chunks()
    cells = pc.if_else(pc.equal(cells, "null"), None, cells)
    if kinds <= {"str"}:
        quoted = pc.starts_with(cells, '"')
        if pc.any(quoted).as_py():
            texts = [c and (json.loads(c) if c[0] == '"' else c) for c in cells.to_pylist()]
            return pa.array(texts, kind)
        return cells
    if kind == pa.float64():
        # Arrow reads these words, and has no other for infinity.
        cells = pc.replace_substring(cells, "Infinity", "inf")
    return cells.cast(kind)
