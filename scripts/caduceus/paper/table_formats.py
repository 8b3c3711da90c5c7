"""Write a table as CSV, Markdown, LaTeX and JSON."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from caduceus.io.cells import csv_line, render, without_formula
from caduceus.io.files import write_json, write_whole
from caduceus.io.markdown import markdown_text
from caduceus.paper.latex import failed_latex
from caduceus.paper.latex_tables import as_latex, latex_head
from caduceus.paper.marks import Mark
from caduceus.paper.table_content import Cell, Row, Table
from caduceus.paper.table_notes import TIED
from caduceus.paper.table_texts import Format, shown_mark, texts
from caduceus.project.paper import PublishedResult


def write_table(table: Table, folder: Path, escapes_formulas: bool = False) -> None:
    """Write NAME.csv, NAME.md, NAME.tex and NAME.json into `folder`.

    Args:
        table: the table.
        folder: takes the files.
        escapes_formulas: whether an apostrophe is put before each text in the CSV file that a
            spreadsheet would run as a formula.
    """
    csv_file, markdown_file, latex_file, json_file = table_files(folder, table.name)
    write_whole(csv_file, _as_csv(table, escapes_formulas))
    write_whole(markdown_file, _as_markdown(table))
    write_whole(latex_file, as_latex(table))
    write_json(json_file, _as_json(table))


def table_files(folder: Path, name: str) -> list[Path]:
    """Return the files of a table."""
    return [folder / f"{name}.{kind}" for kind in ("csv", "md", "tex", "json")]


def write_failed_table(folder: Path, name: str, title: str, error: str) -> None:
    """Write the files of a table that couldn't be made, each with the reason and no number."""
    csv_file, markdown_file, latex_file, json_file = table_files(folder, name)
    write_whole(csv_file, csv_line(["error"]) + csv_line([error]))
    write_whole(markdown_file, f"**Table {markdown_text(name)} failed:** {markdown_text(error)}\n")
    write_whole(latex_file, latex_head(name, title) + failed_latex(f"Table {name}", error))
    empty: dict[str, Any] = {"notes": [], "label_names": [], "headings": [], "rows": []}
    write_json(json_file, {"name": name, "title": title, **empty, "error": error})


def _as_json(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "title": table.title,
        "notes": list(table.notes),
        "label_names": list(table.label_names),
        "headings": list(table.headings),
        "heads": [{"title": head.title, "columns": dict(head.columns)} for head in table.heads],
        "metrics": dict(table.metrics),
        "units": {heading: unit for heading in table.headings if (unit := table.unit(heading))},
        "rows": [
            {
                "labels": list(row.labels),
                "experiment": row.variant and row.variant.experiment,
                "variant": row.variant and row.variant.name,
                "parameters": dict(row.variant.parameters) if row.variant else {},
                "runs": len(row.variant.results) if row.variant else 0,
                "failed": row.variant.failed if row.variant else 0,
                "cells": {
                    heading: _cell_as_json(cell) | _digits_as_json(table, heading)
                    for heading, cell in row.cells.items()
                },
                "published": _published_as_json(row.published, table, table.headings[0]),
                "published_cells": {
                    heading: _published_as_json(found, table, heading)
                    for heading, found in row.published_cells.items()
                },
            }
            for row in table.rows
        ],
    }


def _published_as_json(
    published: PublishedResult | None, table: Table, heading: str
) -> dict[str, Any] | None:
    if published is None:
        return None
    about = {"value": published.value, "interval": published.interval}
    return about | _digits_as_json(table, heading)


def _digits_as_json(table: Table, heading: str) -> dict[str, int]:
    """Return the digits of a column; of one without numbers of ours there are none."""
    return asdict(table.digits[heading]) if heading in table.digits else {}


def _cell_as_json(cell: Cell) -> dict[str, Any]:
    estimate = cell.estimate
    return {
        "n": estimate.n,
        "value": estimate.value,
        "low": _known(estimate.low),
        "high": _known(estimate.high),
        "std": _known(estimate.std),
        "spread": list(cell.spread),
        "method": estimate.method,
        "mark": shown_mark(cell),
        "is_second": cell.is_second,
        "p": cell.p,
        "verdict": cell.mark,
        "runs": list(cell.runs),
    }


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number


def _as_csv(table: Table, escapes_formulas: bool) -> str:
    columns = ("", " (low)", " (high)", " (std)", " (n)", " (mark)", " (p)")
    header = [
        *table.label_names,
        *(f"{heading}{column}" for heading in table.headings for column in columns),
        *("published", "published (±)", "failed"),
    ]
    shown = without_formula if escapes_formulas else lambda value: value
    lines = [csv_line(map(shown, header))]
    for row in table.rows:
        cells = list(row.labels)
        for heading in table.headings:
            cell = row.cells.get(heading)
            about = _cell_as_json(cell) if cell else _published_as_csv(row, heading)
            cells += [about.get(n) for n in ("value", "low", "high", "std", "n", "mark", "p")]
        published = row.published
        cells += [published.value, published.interval] if published else [None, None]
        cells.append(row.variant.failed if row.variant else None)
        lines.append(csv_line(render(shown(value)) for value in cells))
    return "".join(lines)


def _published_as_csv(row: Row, heading: str) -> dict[str, float]:
    """Return what a published value has of a cell, with the ends of its interval."""
    found = row.published_cells.get(heading)
    if found is None:
        return {}
    half = found.interval
    ends = {} if half is None else {"low": found.value - half, "high": found.value + half}
    return {"value": found.value, **ends}


def _as_markdown(table: Table) -> str:
    header, body = texts(table, _MARKDOWN)
    widths = [max(3, *(len(line[i]) for line in [header, *body])) for i in range(len(header))]
    labels = len(table.label_names)

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if index < labels else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = [
        "-" * width if index < labels else "-" * (width - 1) + ":"
        for index, width in enumerate(widths)
    ]
    lines = [line(header), line(rule), *[line(cells) for cells in body]]
    title = [markdown_text(table.title), ""] if table.title else []
    return "\n".join([*title, *lines, "", *map(markdown_text, table.notes)]) + "\n"


def _markdown_number(
    value: str, interval: Sequence[str], mark: Mark | None, is_second: bool
) -> str:
    shown = f"**{value}**" if mark == "best" else f"<ins>{value}</ins>" if is_second else value
    if interval:
        shown += f" ± {interval[0]}" if len(interval) == 1 else f" [{', '.join(interval)}]"
    return f"{shown} {TIED}" if mark == "tied" else shown


_MARKDOWN = Format(
    escape=markdown_text,
    number=_markdown_number,
    to="–",
    absent="–",
)
