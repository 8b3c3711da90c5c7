"""Reading metrics_history.csv by columns."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

_BLOCK = 1 << 20  # bytes that Arrow takes at a time, unless told otherwise
_MOST = (1 << 31) - 1


def read_columns(path: Path, convert: pa_csv.ConvertOptions) -> pa.Table:
    """The columns that `convert` names, with the types that it says.

    Raises:
        pyarrow.ArrowInvalid: a cell isn't of its column's type.
    """
    size = path.stat().st_size
    block = _BLOCK
    while True:
        try:
            return pa_csv.read_csv(
                path,
                read_options=pa_csv.ReadOptions(use_threads=size > _BLOCK, block_size=block),
                parse_options=pa_csv.ParseOptions(newlines_in_values=True),
                convert_options=convert,
            )
        except pa.ArrowInvalid:
            if block >= min(size, _MOST):
                raise
            block = min(size, _MOST)  # a row may be as long as the file
