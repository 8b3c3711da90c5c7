"""Write a table as CSV, Markdown, LaTeX and JSON."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from caduceus.io.cells import csv_line, render, without_formula
from caduceus.io.files import write_json, write_whole
from caduceus.io.markdown import markdown_text
from caduceus.paper.labels import parameter_text
from caduceus.paper.latex import failed_latex, latex_number, latex_text
from caduceus.paper.marks import Mark
from caduceus.paper.rounding import digits_of
from caduceus.paper.table_content import Cell, Row, Table
from caduceus.paper.table_notes import TIED
from caduceus.project.paper import PublishedResult

_SHOWN: tuple[Mark, ...] = ("best", "tied")


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
    write_whole(latex_file, _as_latex(table))
    write_json(json_file, _as_json(table))


def table_files(folder: Path, name: str) -> list[Path]:
    """Return the files of a table."""
    return [folder / f"{name}.{kind}" for kind in ("csv", "md", "tex", "json")]


def write_failed_table(folder: Path, name: str, title: str, error: str) -> None:
    """Write the files of a table that couldn't be made, each with the reason and no number."""
    csv_file, markdown_file, latex_file, json_file = table_files(folder, name)
    write_whole(csv_file, csv_line(["error"]) + csv_line([error]))
    write_whole(markdown_file, f"**Table {markdown_text(name)} failed:** {markdown_text(error)}\n")
    write_whole(latex_file, _latex_head(name, title) + failed_latex(f"Table {name}", error))
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
        "mark": _mark(cell),
        "is_second": cell.is_second,
        "p": cell.p,
        "verdict": cell.mark,
        "runs": list(cell.runs),
    }


def _mark(cell: Cell) -> Mark | None:
    is_single = cell.mark == "best" and cell.estimate.n == 1  # which noise may have chosen
    return cell.mark if cell.mark in _SHOWN and not is_single else None


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


@dataclass(frozen=True)
class _Format:
    """How a format writes text, numbers and gaps.

    `number` takes a value, its interval (empty, the half-width, or both ends), its mark, and
    whether it is the second best.
    """

    escape: Callable[[str], str]
    number: Callable[[str, Sequence[str], Mark | None, bool], str]
    to: str  # between the ends of a range
    absent: str  # in a cell without a number


def _as_markdown(table: Table) -> str:
    header, body = _texts(table, _MARKDOWN)
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


_MARKDOWN = _Format(
    escape=markdown_text,
    number=_markdown_number,
    to="–",
    absent="–",
)


def _as_latex(table: Table) -> str:
    """Return a tabular and its notes, to be used inside a table environment.

    Comments at its head show how to write that environment. The notes are the argument of a macro,
    so that a paper can redefine how they are shown, or leave them out.
    """
    header, body = _texts(table, _LATEX)
    for place, title in enumerate(_short_titles(table)):
        titled = _titled(title, table.unit(table.headings[place]), _LATEX)
        header[len(table.label_names) + place] = titled
    columns = "l" * len(table.label_names) + "r" * (len(header) - len(table.label_names))
    lines = [
        r"% Needs \usepackage{booktabs}; \newcommand{\caduceusnotes}[1]{} leaves the notes out.",
        r"\providecommand{\caduceusnotes}[1]{%",
        r"  \par\smallskip\begin{minipage}{\linewidth}\footnotesize #1\end{minipage}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        *_latex_heads(table, len(header)),
        " & ".join(header) + r" \\",
        r"\midrule",
        *[" & ".join(cells) + r" \\" for cells in body],
        r"\bottomrule",
        r"\end{tabular}",
        r"\caduceusnotes{%",
        *[f"  {latex_text(' '.join(note.split()))}" for note in table.notes],
        "}",
    ]
    return _latex_head(table.name, table.title) + "\n".join(lines) + "\n"


def _latex_head(name: str, title: str) -> str:
    """Return the comments that show how a paper includes a table."""
    lines = [
        r"% \begin{table}",
        rf"%   \caption{{{latex_text(' '.join(title.split()))}}}",
        rf"%   \label{{tab:{name}}}",
        r"%   \centering",
        rf"%   \input{{results/paper/tables/{name}}}",
        r"% \end{table}",
    ]
    return "\n".join(lines) + "\n"


def _short_titles(table: Table) -> list[str]:
    """Return the titles of the columns below the titles of several."""
    short = {heading: title for head in table.heads for heading, title in head.columns.items()}
    return [short.get(heading, heading) for heading in table.headings]


def _latex_heads(table: Table, width: int) -> list[str]:
    """Return the row of titles above several columns, with a rule below each."""
    if not table.heads:
        return []
    start = len(table.label_names)
    cells, rules, place = [""] * start, [], start
    for head in table.heads:
        count = len(head.columns)
        cells.append(rf"\multicolumn{{{count}}}{{c}}{{{latex_text(head.title)}}}")
        if head.title:
            rules.append(rf"\cmidrule(lr){{{place + 1}-{place + count}}}")
        place += count
    cells += [""] * (width - place)
    return [" & ".join(cells) + r" \\", " ".join(rules)]


def _latex_number(value: str, interval: Sequence[str], mark: Mark | None, is_second: bool) -> str:
    value, *interval = map(latex_number, (value, *interval))
    shown = rf"\mathbf{{{value}}}" if mark == "best" else value
    shown = rf"\underline{{{value}}}" if is_second else shown
    if interval:
        ends = ", ".join(interval)
        shown += rf" \pm {ends}" if len(interval) == 1 else rf"\ [{ends}]"
    # \rlap gives the dagger no width, so that the digits of a column stay aligned.
    return f"${shown}$" + (r"\rlap{$^{\dagger}$}" if mark == "tied" else "")


_LATEX = _Format(escape=latex_text, number=_latex_number, to="--", absent="--")


def _texts(table: Table, form: _Format) -> tuple[list[str], list[list[str]]]:
    """Format the header and the rows."""
    has_published = any(row.published for row in table.rows)
    headings = [(heading, table.unit(heading)) for heading in table.headings]
    published = ("published", headings[0][1])
    header = [*((name, "") for name in table.label_names), *headings, ("n", "")]
    header += [published] * has_published
    body = [
        [
            *[form.escape(parameter_text(label)) for label in row.labels],
            *[_number(table, heading, row, form) for heading in table.headings],
            _runs(row, form),
            *[_published(row.published, table, table.headings[0], form)] * has_published,
        ]
        for row in table.rows
    ]
    return [_titled(title, unit, form) for title, unit in header], body


def _titled(title: str, unit: str, form: _Format) -> str:
    """Format a heading with its unit."""
    return f"{form.escape(title)} ({form.escape(unit)})" if unit else form.escape(title)


def _number(table: Table, heading: str, row: Row, form: _Format) -> str:
    cell = row.cells.get(heading)
    if cell is None:
        return _published(row.published_cells.get(heading), table, heading, form)
    value, *ends = table.digits[heading].texts(cell.estimate.value, cell.spread)
    return form.number(value, ends, _mark(cell), cell.is_second)


def _runs(row: Row, form: _Format) -> str:
    """Format the number of runs behind a row, a range if its cells differ."""
    if row.variant is None:
        return form.absent
    counts = {cell.estimate.n for cell in row.cells.values()} or {0}
    return form.to.join(map(str, sorted({min(counts), max(counts)})))


def _published(published: PublishedResult | None, table: Table, heading: str, form: _Format) -> str:
    """Format a published value with the digits of our own in a column."""
    if published is None:
        return form.absent
    half = [] if published.interval is None else [published.interval]
    digits = table.digits.get(heading) or digits_of([published.value], half)
    value, *ends = digits.texts(published.value, half)
    return form.number(value, ends, None, False)
