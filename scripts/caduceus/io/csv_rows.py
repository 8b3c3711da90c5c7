"""Read CSV files row by row. No other module opens one with Python's csv module to read it."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.io.cells import parse
from caduceus.io.files import MADE_AGAIN, damaged
from caduceus.io.phrases import pasted

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


def numbered_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV file that a user's program wrote, each with the number of its line.

    Raises:
        ResultError: the file isn't CSV in UTF-8, two columns have one name, or not all rows are
            equally long; the message names the line.
    """
    columns: list[str] = []
    line = 1
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:  # Excel's files start so
            reader = csv.reader(stream)
            for cells in filter(None, reader):
                if not columns:
                    columns = cells
                    repeated = next((name for name in columns if columns.count(name) > 1), None)
                    if repeated is not None:
                        raise csv.Error(f"two columns have the name {pasted(repeated)}")
                elif len(cells) != len(columns):
                    raise csv.Error(f"the row has {len(cells)} cells, not {len(columns)}")
                else:
                    yield line, dict(zip(columns, cells, strict=True))
                line = reader.line_num + 1
    except csv.Error as error:
        raise ResultError(str(error), f"{path}:{line}") from None
    except UnicodeDecodeError as error:
        raise ResultError(f"not CSV in UTF-8 ({error})", str(path)) from None
