"""The curves of a report: of each metric, that of each variant and that of each run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from caduceus.exports.group_history import ABOUT
from caduceus.exports.history_columns import TIME_COLUMNS
from caduceus.paper.report.groups import Group, Variant, all_runs
from caduceus.paper.report.packing import pack, thin
from caduceus.statistics.curves import Curve, align, estimate_steps
from caduceus.statistics.samples import Array

MOST_POINTS = 800  # of a curve: about as many as a screen shows beside each other
_LEAST_POINTS = 40
_BUDGET = 1_500_000  # points of all runs' curves together: some 6 MB


@dataclass(frozen=True)
class _Drawn:
    """What is drawn of a curve: whose it is, its steps (n,), and its series (series, n)."""

    owner: int
    steps: Array
    series: Array


def pack_curves(
    groups: Sequence[Group], variants: Sequence[Variant], statistics: Mapping[str, Any]
) -> dict[str, Any]:
    """Every metric's curves as the page takes them.

    Failed runs have a curve, but count for no variant's.

    Args:
        groups: whose history.parquet are read.
        variants: of their runs.
        statistics: `paper.statistics`, which says what is shown of several runs.

    Returns:
        `points`, the most that is drawn of a curve, `averages` and `singles` by metric; each of
        these has its `owners` (places of variants or runs), the `lengths` of their curves, and
        `steps` and `values` of all, packed. An average's values are the statistic, the ends of
        its interval and the number of runs.
    """
    runs = [run for _, run in all_runs(groups)]
    names = _metrics(groups)
    points = max(min(_BUDGET // max(len(runs) * len(names), 1), MOST_POINTS), _LEAST_POINTS)
    averages, singles = {}, {}
    for name in names:
        curves = dict(_read_curves(groups, name))
        if all(len(steps) < 2 for steps, _ in curves.values()):
            continue
        finished = {at: curve for at, curve in curves.items() if runs[at]["state"] == "finished"}
        averages[name] = _pack(_averages(variants, finished, statistics, points))
        singles[name] = _pack(
            _thinned(_Drawn(place, steps, values[None]), points)
            for place, (steps, values) in curves.items()
        )
    return {"points": points, "averages": averages, "singles": singles}


def _metrics(groups: Sequence[Group]) -> list[str]:
    """The columns of numbers of which some run has more than one row."""
    names = set()
    for group in groups:
        file = pq.ParquetFile(group.history)
        for column, field in enumerate(file.schema_arrow):
            is_number = pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
            if is_number and field.name not in (*ABOUT, "_step", *TIME_COLUMNS):
                parts = map(file.metadata.row_group, range(file.num_row_groups))
                if any(_values(part, column) > 1 for part in parts):
                    names.add(field.name)
    return sorted(names)


def _values(part: Any, column: int) -> int:
    about = part.column(column).statistics
    return int(about.num_values if about else part.num_rows)


def _read_curves(groups: Sequence[Group], metric: str) -> Iterator[tuple[int, Curve]]:
    """The finite values of a metric, by the place of the run."""
    first = 0
    for group in groups:
        places = {run["run"]: first + place for place, run in enumerate(group.runs)}
        first += len(places)
        if metric not in pq.read_schema(group.history).names:
            continue
        columns = ["run", "_step", metric]
        table = pq.read_table(group.history, columns=columns, read_dictionary=["run"])
        run = table["run"].unify_dictionaries().combine_chunks()
        values = table[metric].cast(pa.float64()).to_numpy()
        steps = table["_step"].to_numpy().astype(float)
        kept = np.isfinite(values)
        codes = np.asarray(run.indices)[kept]
        ends = np.flatnonzero(np.diff(codes)) + 1
        parts = (np.split(array, ends) for array in (codes, steps[kept], values[kept]))
        for code, at, found in zip(*parts, strict=True):
            if len(code):
                yield places[run.dictionary[int(code[0])].as_py()], (at, found)


def _averages(
    variants: Sequence[Variant],
    curves: Mapping[int, Curve],
    statistics: Mapping[str, Any],
    points: int,
) -> Iterator[_Drawn]:
    for place, variant in enumerate(variants):
        found = [curves[run] for run in variant.runs if run in curves]
        if found:
            steps, values = align(found)
            n, value, low, high = estimate_steps(values, statistics)
            low, high = (np.where(n > 1, end, value) for end in (low, high))
            yield _thinned(_Drawn(place, steps, np.stack((value, low, high, n))), points)


def _thinned(drawn: _Drawn, points: int) -> _Drawn:
    places = thin(drawn.series[:3], points)
    return _Drawn(drawn.owner, drawn.steps[places], drawn.series[:, places])


def _pack(curves: Iterator[_Drawn]) -> dict[str, Any]:
    found = list(curves)
    return {
        "owners": [drawn.owner for drawn in found],
        "lengths": [len(drawn.steps) for drawn in found],
        "steps": pack([drawn.steps for drawn in found], np.float64),
        "values": pack([drawn.series for drawn in found], np.float32),
    }
