"""Values that may be missing as columns of a pandas table, without any change."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

_INT64 = 2**63
_EXACT_INT = 2**53  # a float holds whole numbers up to here exactly


def frame_of_rows(rows: Sequence[Mapping[str, Any]], first: Iterable[str]) -> pd.DataFrame:
    """Return rows as a table: the columns `first`, then others in the order of first appearance.

    A column is bool, int64, float64 or text; with missing values boolean, Int64, or float64 with
    NaN. If none of these holds every value exactly, the column is of objects.
    """
    names = dict.fromkeys([*first, *(name for row in rows for name in row)])
    return pd.DataFrame({name: _column([row.get(name) for row in rows]) for name in names})


def frame_of_table(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as pandas; integers and booleans stay exact beside missing values."""
    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    columns = {}
    for name in table.column_names:
        column = table.column(name)
        mapper = nullable.get if column.null_count else None
        columns[name] = column.to_pandas(types_mapper=mapper)
    return pd.DataFrame(columns)


def _column(values: Sequence[Any]) -> "pd.Series[Any]":
    known = [value for value in values if value is not None]
    kinds = {type(value) for value in known}
    is_whole = len(known) == len(values)
    if kinds == {bool}:
        return pd.Series(values, dtype="bool" if is_whole else "boolean")
    if kinds == {int} and max(map(abs, known)) < _INT64:
        return pd.Series(values, dtype="int64" if is_whole else "Int64")
    if kinds and kinds <= {int, float} and _is_exact(known):
        return pd.Series(values, dtype="float64")
    return pd.Series(values) if kinds == {str} else pd.Series(values, dtype="object")


def _is_exact(numbers: Iterable[float]) -> bool:
    return all(isinstance(value, float) or abs(value) <= _EXACT_INT for value in numbers)
