"""Read CSV files row by row. No other module opens one with Python's csv module to read it."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from caduceus.io.cells import parse
from caduceus.io.files import MADE_AGAIN, damaged

# By default a cell beyond 131,072 characters is an error. A cell may hold a long list or text.
csv.field_size_limit((1 << 31) - 1)

Row = Mapping[str, Any]  # by column; an empty cell is None


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a CSV file that `cells.to_csv` has written, with parsed cells."""
    return [
        {name: parse(text) if text else None for name, text in row.items()}
        for row in text_rows(path)
    ]


def text_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file by column, with the text of their cells.

    Raises:
        ResultError: the file isn't CSV in UTF-8, or not all rows are equally long.
    """
    lines = cell_lists(path)
    columns = next(lines, [])
    for cells in lines:
        yield dict(zip(columns, cells, strict=True))


def cell_lists(path: Path) -> Iterator[list[str]]:
    """Yield the lines of a CSV file, the first of which is its columns, as lists of cells.

    Raises:
        ResultError: the file isn't CSV in UTF-8, or not all rows are equally long.
    """
    columns: list[str] | None = None
    try:
        with path.open(newline="") as stream:
            for cells in filter(None, csv.reader(stream)):
                columns = columns or cells
                if len(cells) != len(columns):
                    raise csv.Error(f"a row has {len(cells)} cells, not {len(columns)}")
                yield cells
    except (csv.Error, UnicodeDecodeError) as error:
        raise damaged(path, f"not CSV ({error})", MADE_AGAIN) from None


def columns_of(path: Path) -> list[str]:
    """Return the columns of a CSV file; an empty file has none."""
    return next(cell_lists(path), [])
