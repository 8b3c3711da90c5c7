"""Reading CSV files row by row, cells of any length included."""

import random
from pathlib import Path

import pytest
from caduceus.io.cells import to_csv
from caduceus.io.csv_rows import cell_lists, columns_of, read_rows, text_rows

LONG_TEXT = "word, " * 200_000 + 'a "quoted" end\n'  # a cell of 1.2 million characters
LONG_LIST = [random.Random(0).random() for _ in range(20_000)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "metrics_history.csv"
    rows = [{"_step": step, "text": LONG_TEXT, "list": LONG_LIST, "last": 7} for step in range(2)]
    path.write_text(to_csv(rows, ["_step"]), newline="")
    return path


def test_long_cells_are_read_exactly(table: Path) -> None:
    assert [(row["text"], row["list"], row["last"]) for row in read_rows(table)] == [
        (LONG_TEXT, LONG_LIST, 7)
    ] * 2
    assert [row["text"] for row in text_rows(table)] == [LONG_TEXT] * 2
    assert [cells[-1] for cells in cell_lists(table)] == ["last", "7", "7"]
    assert columns_of(table) == ["_step", "text", "list", "last"]


def test_a_long_name_of_a_column_is_read(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(to_csv([{LONG_TEXT: 1}], ["_step"]), newline="")
    assert columns_of(path) == ["_step", LONG_TEXT]


def test_an_empty_file_has_no_columns_and_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.touch()
    assert columns_of(path) == []
    assert read_rows(path) == []
