"""Read the CSV files that `cells.to_csv` writes, row by row."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caduceus.io.cells import parse

Row = Mapping[str, Any]  # by column; an empty cell is None


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a CSV file with parsed cells."""
    with path.open(newline="") as stream:
        return [
            {name: parse(text) if text else None for name, text in row.items()}
            for row in csv.DictReader(stream)
        ]
