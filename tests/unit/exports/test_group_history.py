"""The history of a group in Parquet: every value comes back, with its type where it has one."""

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from caduceus.exports.group_history import RunHistory, read_history, write_history
from caduceus.io.cells import to_csv


def written(folder: Path, *runs: list[dict[str, Any]]) -> pa.Table:
    histories = []
    for index, rows in enumerate(runs):
        path = folder / f"{index}.csv"
        path.write_text(to_csv([{"_step": n} | row for n, row in enumerate(rows)], ("_step",)))
        about = {"run": f"r{index}", "experiment": "e", "variant": "v", "seed": index}
        histories.append(RunHistory(about, path))
    write_history(histories, folder / "history.parquet")
    return pq.read_table(folder / "history.parquet")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, -7, 2**60], "int64"),
        ([1, 0.5, -1e300, 1e-07], "double"),
        ([0.5, math.inf, -math.inf], "double"),
        ([True, False], "bool"),
        (["a", "NaN", "", "true", 'a,\n"b"', "é😀", "1"], "string"),
        ([None, 1], "int64"),
        ([None, None], "string"),
    ],
)
def test_a_column_has_the_narrowest_type_that_holds_it(
    tmp_path: Path, values: list[Any], kind: str
) -> None:
    table = written(tmp_path, [{"x": value} for value in values])
    assert str(table.schema.field("x").type) == kind
    assert table.column("x").to_pylist() == values


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ([1, "a"], ["1", "a"]),
        ([2**60, 0.5], [str(2**60), "0.5"]),
        ([2**70, 1], [str(2**70), "1"]),
        ([[1, 2], {"a": 1}], ["[1,2]", '{"a":1}']),
    ],
)
def test_mixed_kinds_hold_their_cells(tmp_path: Path, values: list[Any], cells: list[str]) -> None:
    table = written(tmp_path, [{"x": value} for value in values])
    assert table.column("x").to_pylist() == cells


def test_nan_is_a_number(tmp_path: Path) -> None:
    (value,) = written(tmp_path, [{"x": math.nan}]).column("x").to_pylist()
    assert math.isnan(value)


def test_runs_with_other_columns_and_types_share_a_schema(tmp_path: Path) -> None:
    table = written(tmp_path, [{"x": 1}, {"y": "a"}], [{"x": 0.5, "seed": 9}], [])
    assert table.column("run").to_pylist() == ["r0", "r0", "r1"]
    assert table.column("x").to_pylist() == [1.0, None, 0.5]
    assert table.column("y").to_pylist() == [None, "a", None]
    assert table.column("logged.seed").to_pylist() == [None, None, 9]
    assert pq.ParquetFile(tmp_path / "history.parquet").num_row_groups == 3


def test_the_file_is_the_same_whatever_is_read_together_or_twice(tmp_path: Path) -> None:
    rows: list[list[dict[str, Any]]] = [
        [{"x": 1, "text": "null"}, {"x": None, "text": '"'}],
        [],
        [{"x": 0.5, "y": True}] * 300,
        [{"y": False, "run": [1]}, {"huge": 2**70}],
        [{"huge": 2**60}],
    ]
    together = written(tmp_path, *rows)
    whole = (tmp_path / "history.parquet").read_bytes()
    histories = [
        RunHistory(
            {"run": f"r{index}", "experiment": "e", "variant": "v", "seed": index},
            tmp_path / f"{index}.csv",
        )
        for index in range(len(rows))
    ]
    for batch_bytes, kept_bytes in ((1, 0), (1, 100), (1 << 20, 0), (1000, 1 << 20)):
        write_history(histories, tmp_path / "again.parquet", batch_bytes, kept_bytes)
        assert (tmp_path / "again.parquet").read_bytes() == whole
    assert read_history(histories).equals(together)
