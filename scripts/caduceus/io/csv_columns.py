"""Read metrics_history.csv in columns."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

_BLOCK_BYTES = 1 << 20  # Arrow's default: the bytes that it reads at a time
_MAX_BLOCK_BYTES = (1 << 31) - 1  # Arrow's limit


def read_columns(path: Path, convert: pa_csv.ConvertOptions) -> pa.Table:
    """Read columns of a CSV file.

    Args:
        path: the file.
        convert: the names and types of the columns.

    Raises:
        pyarrow.ArrowInvalid: a cell isn't of its column's type.
    """
    size = path.stat().st_size
    block = _BLOCK_BYTES
    while True:
        try:
            return pa_csv.read_csv(
                path,
                read_options=pa_csv.ReadOptions(use_threads=size > _BLOCK_BYTES, block_size=block),
                parse_options=pa_csv.ParseOptions(newlines_in_values=True),
                convert_options=convert,
            )
        except pa.ArrowInvalid:
            if block >= min(size, _MAX_BLOCK_BYTES):
                raise
            # Perhaps a row is longer than a block. A row can be as long as the file.
            block = min(size, _MAX_BLOCK_BYTES)
