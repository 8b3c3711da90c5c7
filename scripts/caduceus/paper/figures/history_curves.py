"""Read curves from metrics_history.csv as arrays with pyarrow, in about a millisecond a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from caduceus.io.csv_columns import read_columns
from caduceus.paper.history_values import number_in
from caduceus.runs.files.export import STEP
from caduceus.statistics.curves import AxisCurve, on_axis


def read_curves(history: Path, axes: Mapping[str, str]) -> Mapping[str, AxisCurve]:
    """Return the curve of each metric, over the rows in which it is finite.

    Args:
        history: metrics_history.csv.
        axes: the metrics, each with the column that is its axis.
    """
    names = [name for name in dict.fromkeys((*axes, *axes.values())) if name != STEP]
    try:
        table = _read(history, names, pa.float64())
        columns = {name: table[name].to_numpy() for name in names}
    except pa.ArrowInvalid:  # a cell holds text
        table = _read(history, names, pa.string())
        cells = {name: map(number_in, table[name].to_pylist()) for name in names}
        columns = {name: np.array(list(found), float) for name, found in cells.items()}  # None: NaN
    columns[STEP] = table[STEP].to_numpy()
    kept = {name: np.isfinite(columns[name]) for name in axes}
    return {
        name: on_axis(columns[axis][kept[name]], columns[name][kept[name]])
        for name, axis in axes.items()
    }


def _read(history: Path, names: Sequence[str], kind: pa.DataType) -> pa.Table:
    convert = arrow_csv.ConvertOptions(
        include_columns=[STEP, *names],
        include_missing_columns=True,
        column_types={STEP: pa.int64()} | dict.fromkeys(names, kind),
        null_values=["", "null", "true", "false"],
        strings_can_be_null=True,
    )
    return read_columns(history, convert)
