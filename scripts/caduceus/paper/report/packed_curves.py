"""Average and pack the learning curves of a report: by metric, of each variant and each run."""

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow.parquet as pq

from caduceus.exports.group_history import ABOUT, read_axes
from caduceus.exports.history_columns import TIME_COLUMNS
from caduceus.paper.report.curve_chunks import Curves, CurveWriter, OwnedCurve
from caduceus.paper.report.group_curves import Drawn, VariantCurves, number_columns, read_curves
from caduceus.paper.report.groups import Group, VariantRuns, reading_history
from caduceus.paper.report.packing import thin
from caduceus.runs.files.export import STEP
from caduceus.runs.metric import default_axis
from caduceus.statistics.curves import Curve, align, breaks, estimate_steps
from caduceus.statistics.settings import Methods

MOST_POINTS = 800  # of a curve, about the width of a chart in pixels
_LEAST_POINTS = 40
_UNION = 4  # times that number of values, evenly chosen, an average has before it is thinned
COUNTERS = ("global_step", "step", "iteration", "epoch")  # last parts of names of usual axes
_MOST_TOTAL = 1_500_000  # points of all runs' curves together, about 6 MB


@dataclass(frozen=True)
class PackedCurves:
    """The curves of every metric on each of its axes, packed for the page.

    Attributes:
        points: the most points of a curve.
        averages: of each variant, by metric and axis, the default axis first. Their series are the
            statistic, the ends of its interval and the number of runs; all are NaN where a line
            breaks, since no run goes on from one step to the next.
        singles: of each run, by metric and axis; their series is the metric.
    """

    points: int = 0
    averages: Mapping[str, Mapping[str, Curves]] = field(default_factory=dict)
    singles: Mapping[str, Mapping[str, Curves]] = field(default_factory=dict)


@dataclass
class _Writers:
    """Writes the curves of a metric on an axis.

    Attributes:
        has_line: whether any of them has more than one point.
    """

    averages: CurveWriter = field(default_factory=lambda: CurveWriter(np.float64))
    singles: CurveWriter = field(default_factory=lambda: CurveWriter(np.float32))
    has_line: bool = False


def pack_curves(
    groups: Sequence[Group],
    variants: Sequence[VariantRuns],
    methods: Methods,
    repeated: Container[str] = (),
    without: Collection[Group] = (),
) -> PackedCurves:
    """Return the curves of every metric on each of its axes.

    Failed and repeated runs have curves too, but aren't part of a variant's average.

    Args:
        groups: the groups whose history.parquet are read.
        variants: the variants of their runs.
        methods: how runs are averaged.
        repeated: the ids of runs whose rows are those of another seed.
        without: those of the groups that aren't read.

    Raises:
        DamagedHistoryError: the history.parquet of a group can't be read.
    """
    runs = [run for group in groups for run in group.runs]
    states = [state for group in groups for state in group.columns["state"]]
    averaged = {
        at
        for at, (run, state) in enumerate(zip(runs, states, strict=True))
        if state == "finished" and run not in repeated
    }
    axes = _axes([group for group in groups if group not in without])
    drawn = [(name, axis) for name, found in axes.items() for axis in found]
    points = _MOST_TOTAL // max(len(runs) * len(drawn), 1)
    points = max(min(points, MOST_POINTS), _LEAST_POINTS)
    writers = {pair: _Writers() for pair in drawn}
    for found in _all_curves(groups, variants, drawn, without):
        writer = writers[found.drawn]
        for run, (steps, values) in found.curves.items():
            writer.has_line |= len(steps) > 1
            writer.singles.add(_thinned(OwnedCurve(run, steps, values[None]), points))
        members = [curve for run, curve in found.curves.items() if run in averaged]
        if members:
            most = None if found.drawn[1] == STEP else _UNION * points
            average = _average(found.variant, members, methods, points, most)
            writer.averages.add(average)
    averages: dict[str, dict[str, Curves]] = {}
    singles: dict[str, dict[str, Curves]] = {}
    for (name, axis), writer in writers.items():
        if writer.has_line:
            averages.setdefault(name, {})[axis] = writer.averages.written()
            singles.setdefault(name, {})[axis] = writer.singles.written()
    return PackedCurves(points, averages, singles)


def _all_curves(
    groups: Sequence[Group],
    variants: Sequence[VariantRuns],
    drawn: Sequence[Drawn],
    without: Collection[Group],
) -> Iterator[VariantCurves]:
    variant_of = {run: at for at, variant in enumerate(variants) for run in variant.runs}
    first = 0  # index of the group's first run
    for group in groups:
        indices = {run: first + place for place, run in enumerate(group.runs)}
        first += len(group.runs)
        if group not in without:
            with reading_history(group):
                file = pq.ParquetFile(group.history)
            yield from _curves_of(group, read_curves(file, indices, variant_of, drawn))


def _curves_of(group: Group, curves: Iterator[VariantCurves]) -> Iterator[VariantCurves]:
    """Yield `curves`, and raise DamagedHistoryError if they can't be read."""
    while True:
        with reading_history(group):
            found = next(curves, None)
        if found is None:
            return
        yield found


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
        # pyarrow makes these anew at each access, which takes long where there are many columns.
        schema, parts = file.schema_arrow, list(_row_groups(file))
        numbers = number_columns(schema).difference(ABOUT, (STEP, *TIME_COLUMNS))
        for column, name in enumerate(schema.names):
            if name in numbers and any(_value_count(part, column) > 1 for part in parts):
                names.add(name)
    return sorted(names)


def _row_groups(file: pq.ParquetFile) -> Iterator[pq.RowGroupMetaData]:
    metadata = file.metadata
    return map(metadata.row_group, range(metadata.num_row_groups))


def _value_count(part: pq.RowGroupMetaData, column: int) -> int:
    """Return how many values a row group has in a column, from the file's metadata."""
    statistics = part.column(column).statistics
    return int(statistics.num_values if statistics else part.num_rows)


def _average(
    variant: int, members: Sequence[Curve], methods: Methods, points: int, most: int | None
) -> OwnedCurve:
    """Return the average curve of a variant; one run's interval is its value."""
    steps, values = align(members, most)
    n, value, low, high = estimate_steps(values, methods)
    low, high = (np.where(n > 1, end, value) for end in (low, high))
    average = OwnedCurve(variant, steps, np.stack((value, low, high, n)))
    return _broken(_thinned(average, points), members)


def _thinned(curve: OwnedCurve, points: int) -> OwnedCurve:
    kept = thin(curve.series[:3], points)
    return OwnedCurve(curve.owner, curve.steps[kept], curve.series[:, kept])


def _broken(curve: OwnedCurve, members: Sequence[Curve]) -> OwnedCurve:
    """Return a curve with NaN where its line breaks, at the step after which it goes on."""
    places = breaks(curve.steps, members)
    steps = np.insert(curve.steps, places, curve.steps[places])
    return OwnedCurve(curve.owner, steps, np.insert(curve.series, places, np.nan, axis=1))
