"""Read curves from metrics_history.csv as arrays with pyarrow, in about a millisecond a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from caduceus.io.csv_columns import read_columns
from caduceus.paper.history_values import number_in
from caduceus.statistics.curves import Curve


def read_curves(history: Path, metrics: Sequence[str]) -> Mapping[str, Curve]:
    """Return the curve of each metric, over the rows in which it is finite."""
    names = list(dict.fromkeys(metrics))
    try:
        table = _read(history, names, pa.float64())
        columns = [table[name].to_numpy() for name in names]
    except pa.ArrowInvalid:  # a cell holds text
        table = _read(history, names, pa.string())
        cells = [map(number_in, table[name].to_pylist()) for name in names]
        columns = [np.array(list(found), float) for found in cells]  # None as NaN
    steps = table["_step"].to_numpy()
    kept = map(np.isfinite, columns)
    return {
        name: (steps[rows], values[rows])
        for name, rows, values in zip(names, kept, columns, strict=True)
    }


def _read(history: Path, names: Sequence[str], kind: pa.DataType) -> pa.Table:
    convert = arrow_csv.ConvertOptions(
        include_columns=["_step", *names],
        include_missing_columns=True,
        column_types={"_step": pa.int64()} | dict.fromkeys(names, kind),
        null_values=["", "null", "true", "false"],
        strings_can_be_null=True,
    )
    return read_columns(history, convert)
