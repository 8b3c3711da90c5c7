"""Read and pack the learning curves of a report: by metric, of each variant and each run."""

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from caduceus.exports.group_history import ABOUT, read_axes
from caduceus.exports.history_columns import TIME_COLUMNS
from caduceus.paper.report.groups import Group, VariantRuns, all_runs, reading_history
from caduceus.paper.report.packing import pack, thin
from caduceus.runs.files.export import STEP
from caduceus.runs.metric import default_axis
from caduceus.statistics.curves import Curve, align, breaks, estimate_steps, on_axis
from caduceus.statistics.samples import Array
from caduceus.statistics.settings import Methods

MOST_POINTS = 800  # of a curve, about the width of a chart in pixels
_LEAST_POINTS = 40
NO_CURVES: dict[str, Any] = {"points": 0, "averages": {}, "singles": {}}
_UNION = 4  # times that number of values, evenly chosen, an average has before it is thinned
COUNTERS = ("global_step", "step", "iteration", "epoch")  # last parts of names of usual axes
_MOST_TOTAL = 1_500_000  # points of all runs' curves together, about 6 MB


@dataclass(frozen=True)
class _OwnedCurve:
    """A curve of a variant or run (its index), with steps (n,) and series (series, n)."""

    owner: int
    steps: Array
    series: Array


def pack_curves(
    groups: Sequence[Group],
    variants: Sequence[VariantRuns],
    methods: Methods,
    repeated: Container[str] = (),
    without: Collection[Group] = (),
) -> dict[str, Any]:
    """Return the curves of every metric on each of its axes, packed for the page.

    Failed and repeated runs have curves too, but aren't part of a variant's average.

    Args:
        groups: the groups whose history.parquet are read.
        variants: the variants of their runs.
        methods: how runs are averaged.
        repeated: the ids of runs whose rows are those of another seed.
        without: those of the groups that aren't read.

    Raises:
        DamagedHistoryError: the history.parquet of a group can't be read.

    Returns:
        `points`, the most points of a curve; `averages` and `singles`, by metric and axis, the
        default axis first. Each of these has `owners` (indices of variants or runs), the `lengths`
        of their curves, and the packed `steps`, the values of the axis, and `values` of all. The
        values of an average are the statistic, the ends of its interval and the number of runs;
        all are NaN where its line breaks, since no run goes on from one step to the next.
    """
    runs = [run for _, run in all_runs(groups)]
    axes = _axes([group for group in groups if group not in without])
    count = len(runs) * sum(map(len, axes.values()))
    points = max(min(_MOST_TOTAL // max(count, 1), MOST_POINTS), _LEAST_POINTS)
    averaged = {
        at
        for at, run in enumerate(runs)
        if run["state"] == "finished" and run["run"] not in repeated
    }
    averages: dict[str, dict[str, Any]] = {}
    singles: dict[str, dict[str, Any]] = {}
    for name, axis in ((name, axis) for name, found in axes.items() for axis in found):
        curves = dict(_read_curves(groups, name, axis, without))
        if all(len(steps) < 2 for steps, _ in curves.values()):
            continue
        counted = {at: curve for at, curve in curves.items() if at in averaged}
        most = None if axis == STEP else _UNION * points
        averages.setdefault(name, {})[axis] = _pack(
            _average(variants, counted, methods, points, most)
        )
        singles.setdefault(name, {})[axis] = _pack(
            _thinned(_OwnedCurve(place, steps, values[None]), points)
            for place, (steps, values) in curves.items()
        )
    return {"points": points, "averages": averages, "singles": singles}


def _axes(groups: Sequence[Group]) -> dict[str, list[str]]:
    """Return the axes that are offered for each metric, the default one first.

    They are the step, the time, the axes that runs declare for any metric, and counters.
    """
    metrics = _metrics(groups)
    declared: dict[str, list[str]] = {}
    for group in groups:
        with reading_history(group):
            found, names = read_axes(group.history), pq.read_schema(group.history).names
        for name in names:
            declared[name] = [*declared.get(name, []), *found.get(name, [STEP])]
    counters = [name for name in metrics if name.split("/")[-1] in COUNTERS]
    known = dict.fromkeys(axis for found in declared.values() for axis in found)
    offered = dict.fromkeys((STEP, *TIME_COLUMNS[:1], *known, *counters))
    return {
        name: [
            axis
            for axis in dict.fromkeys((default_axis([*dict.fromkeys(declared[name])]), *offered))
            if axis != name and axis in declared
        ]
        for name in metrics
        if declared[name]  # empty if it is hidden
    }


def _metrics(groups: Sequence[Group]) -> list[str]:
    """Return the numeric columns that have more than one value in some run."""
    names = set()
    for group in groups:
        with reading_history(group):
            file = pq.ParquetFile(group.history)
        for column, field in enumerate(file.schema_arrow):
            is_number = _is_number(file.schema_arrow, field.name)
            if is_number and field.name not in (*ABOUT, STEP, *TIME_COLUMNS):
                parts = map(file.metadata.row_group, range(file.num_row_groups))
                if any(_value_count(part, column) > 1 for part in parts):
                    names.add(field.name)
    return sorted(names)


def _value_count(part: Any, column: int) -> int:
    """Return how many values a row group has in a column, from the file's metadata."""
    statistics = part.column(column).statistics
    return int(statistics.num_values if statistics else part.num_rows)


def _read_curves(
    groups: Sequence[Group], metric: str, axis: str, without: Collection[Group]
) -> Iterator[tuple[int, Curve]]:
    """Yield the index of each run with its curve of a metric, over finite values."""
    first = 0  # index of the group's first run
    for group in groups:
        indices = {run["run"]: first + place for place, run in enumerate(group.runs)}
        first += len(indices)
        if group not in without:
            with reading_history(group):
                found = list(_curves_by_run(group.history, metric, axis))
                placed = [(indices[run], curve) for run, curve in found]
            yield from placed


def _curves_by_run(history: Path, metric: str, axis: str) -> Iterator[tuple[str, Curve]]:
    schema = pq.read_schema(history)
    if metric not in schema.names or not _is_number(schema, axis):
        return
    table = pq.read_table(history, columns=["run", axis, metric], read_dictionary=["run"])
    run = table["run"].unify_dictionaries().combine_chunks()
    values, steps = (table[name].cast(pa.float64()).to_numpy() for name in (metric, axis))
    kept = np.isfinite(values)
    codes = np.asarray(run.indices)[kept]  # rows of a run are adjacent
    ends = np.flatnonzero(np.diff(codes)) + 1
    parts = (np.split(array, ends) for array in (codes, steps[kept], values[kept]))
    for code, curve_steps, curve_values in zip(*parts, strict=True):
        curve = on_axis(curve_steps, curve_values).curve
        if len(curve[0]):
            yield run.dictionary[int(code[0])].as_py(), curve


def _is_number(schema: pa.Schema, column: str) -> bool:
    if column not in schema.names:
        return False
    kind = schema.field(column).type
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _average(
    variants: Sequence[VariantRuns],
    curves: Mapping[int, Curve],
    methods: Methods,
    points: int,
    most: int | None,
) -> Iterator[_OwnedCurve]:
    """Yield the average curve of each variant; one run's interval is its value."""
    for index, variant in enumerate(variants):
        members = [curves[run] for run in variant.runs if run in curves]
        if members:
            steps, values = align(members, most)
            n, value, low, high = estimate_steps(values, methods)
            low, high = (np.where(n > 1, end, value) for end in (low, high))
            average = _OwnedCurve(index, steps, np.stack((value, low, high, n)))
            yield _broken(_thinned(average, points), members)


def _thinned(curve: _OwnedCurve, points: int) -> _OwnedCurve:
    kept = thin(curve.series[:3], points)
    return _OwnedCurve(curve.owner, curve.steps[kept], curve.series[:, kept])


def _broken(curve: _OwnedCurve, members: Sequence[Curve]) -> _OwnedCurve:
    """Return a curve with NaN where its line breaks, at the step after which it goes on."""
    places = breaks(curve.steps, members)
    steps = np.insert(curve.steps, places, curve.steps[places])
    return _OwnedCurve(curve.owner, steps, np.insert(curve.series, places, np.nan, axis=1))


def _pack(curves: Iterator[_OwnedCurve]) -> dict[str, Any]:
    owned = list(curves)
    return {
        "owners": [curve.owner for curve in owned],
        "lengths": [len(curve.steps) for curve in owned],
        "steps": pack([curve.steps for curve in owned], np.float64),
        "values": pack([curve.series for curve in owned], np.float32),
    }
