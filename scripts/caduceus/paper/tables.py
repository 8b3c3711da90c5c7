"""Tables of a paper: one row for each variant, as CSV, Markdown and LaTeX."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.files import write_whole
from caduceus.paper.aggregates import (
    Aggregate,
    Published,
    check_metrics,
    parameters_of,
    published_value,
    result_names,
    variants_of,
    varying_parameters,
    word,
)
from caduceus.rendering import to_csv


@dataclass(frozen=True)
class Number:
    """A mean over n runs with half the width of its 95 % interval, None if n is 1."""

    value: float
    half_width: float | None
    n: int


@dataclass(frozen=True)
class Row:
    """A variant, or a published value without one: its parameters and its numbers by heading."""

    labels: tuple[Any, ...]  # values of the parameters that tell variants apart
    numbers: dict[str, Number]
    published: Published | None
    runs: int
    failed: int


@dataclass(frozen=True)
class Table:
    """A table before it is put in a format."""

    spec: Mapping[str, Any]
    label_names: tuple[str, ...]
    rows: tuple[Row, ...]


def build_table(spec: Mapping[str, Any], aggregates: Sequence[Aggregate], where: str) -> Table:
    """Arrange the variants' aggregates as `spec` says.

    Args:
        spec: a table of `paper.tables` in config.yaml.
        aggregates: rows of variants.csv.
        where: the table's name, for messages.

    Raises:
        SpecError: no run has one of the metrics.
    """
    check_metrics(spec, result_names(aggregates), f"tables.{where}")
    variants = variants_of(aggregates)
    label_names = varying_parameters(variants)
    scale = 100.0 if spec["percent"] else 1.0
    rows = []
    for (_, variant), members in variants.items():
        parameters = parameters_of(members[0])
        labels = tuple(parameters.get(name) for name in label_names)
        numbers = {}
        for heading, metric in spec["metrics"].items():
            member = next((m for m in members if m.get("metric") == metric), None)
            if member:
                half = (member["high"] - member["low"]) / 2 * scale if member["n"] > 1 else None
                numbers[heading] = Number(member["mean"] * scale, half, member["n"])
        published = published_value(spec["published"], parameters)
        rows.append(
            Row(
                labels or (variant,),
                numbers,
                published,
                members[0]["runs"],
                members[0]["failed"],
            )
        )
    for entry in spec["published"]:
        if entry["label"]:
            labels = (entry["label"], *[None] * (max(len(label_names), 1) - 1))
            rows.append(Row(labels, {}, Published(entry["value"], entry["interval"]), 0, 0))
    headings = tuple(name.replace(r"\.", ".") for name in label_names)
    return Table(spec, headings or ("variant",), tuple(rows))


def write_table(table: Table, folder: Path, name: str) -> None:
    """Write NAME.csv, NAME.md and NAME.tex into `folder`."""
    write_whole(folder / f"{name}.csv", _as_csv(table))
    write_whole(folder / f"{name}.md", _as_markdown(table))
    write_whole(folder / f"{name}.tex", _as_latex(table))


def _as_csv(table: Table) -> str:
    rows: list[dict[str, Any]] = []
    for row in table.rows:
        cells: dict[str, Any] = dict(zip(table.label_names, row.labels, strict=True))
        for heading in table.spec["metrics"]:
            number = row.numbers.get(heading)
            cells[heading] = number.value if number else None
            cells[f"{heading} (95 % ±)"] = number.half_width if number else None
            cells[f"{heading} (n)"] = number.n if number else None
        cells["published"] = row.published.value if row.published else None
        cells["published (±)"] = row.published.half_width if row.published else None
        cells["failed"] = row.failed
        rows.append(cells)
    return to_csv(rows, tuple(rows[0]) if rows else ())


@dataclass(frozen=True)
class _Format:
    """How a format writes text, a number with or without half its interval, and no number."""

    escape: Callable[[str], str]
    number: Callable[[str, str | None], str]
    absent: str


_MARKDOWN = _Format(
    escape=lambda text: text.replace("|", r"\|"),
    number=lambda value, half: value if half is None else f"{value} ± {half}",
    absent="–",
)
_LATEX_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: "\\" + character for character in "&%$#_{}"},
}
_LATEX = _Format(
    escape=lambda text: "".join(_LATEX_SPECIAL.get(character, character) for character in text),
    number=lambda value, half: f"${value}$" if half is None else rf"${value} \pm {half}$",
    absent="--",
)


def _as_markdown(table: Table) -> str:
    header, body = _cells(table, _MARKDOWN)
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
    title = [table.spec["title"], ""] if table.spec["title"] else []
    return "\n".join([*title, *lines, "", *_notes(table)]) + "\n"


def _as_latex(table: Table) -> str:
    header, body = _cells(table, _LATEX)
    columns = "l" * len(table.label_names) + "r" * (len(header) - len(table.label_names))
    lines = [
        *[f"% {line}" for text in [table.spec["title"], *_notes(table)] for line in _lines(text)],
        r"% Needs \usepackage{booktabs}.",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(header) + r" \\",
        r"\midrule",
        *[" & ".join(cells) + r" \\" for cells in body],
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _lines(text: str | None) -> list[str]:
    return (text or "").splitlines()


def _cells(table: Table, form: _Format) -> tuple[list[str], list[list[str]]]:
    """The header and the rows as text."""
    decimals = table.spec["decimals"]

    def show(number: Number | Published | None) -> str:
        if number is None:
            return form.absent
        # Published values keep the digits they were published with.
        how = "g" if isinstance(number, Published) else f".{decimals}f"
        half = None if number.half_width is None else f"{number.half_width:{how}}"
        return form.number(f"{number.value:{how}}", half)

    def show_n(row: Row) -> str:
        counts = {number.n for number in row.numbers.values()}
        if not counts:
            return "0" if row.runs else form.absent
        return str(min(counts)) if len(counts) == 1 else f"{min(counts)}-{max(counts)}"

    has_published = any(row.published for row in table.rows)
    header = [*table.label_names, *table.spec["metrics"], "n", *["published"] * has_published]
    body = [
        [
            *[form.escape(word(label)) for label in row.labels],
            *[show(row.numbers.get(heading)) for heading in table.spec["metrics"]],
            show_n(row),
            *[show(row.published)] * has_published,
        ]
        for row in table.rows
    ]
    return [form.escape(cell) for cell in header], body


def _notes(table: Table) -> list[str]:
    unit = " in %" if table.spec["percent"] else ""
    notes = [f"Mean{unit} ± half the 95 % interval over n seeds (Student's t)."]
    if table.spec["source"]:
        notes.append(f"Published: {table.spec['source']}.")
    if table.spec["note"]:
        notes.append(table.spec["note"].strip())
    failed = sum(row.failed for row in table.rows)
    if failed:
        runs = sum(row.runs for row in table.rows)
        notes.append(f"Failed and left out: {failed} of {runs} runs.")
    return notes
