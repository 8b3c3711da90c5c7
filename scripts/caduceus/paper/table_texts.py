"""The texts of a table's header and cells, in a format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from caduceus.paper.labels import parameter_text
from caduceus.paper.marks import Mark
from caduceus.paper.rounding import digits_of
from caduceus.paper.table_content import Cell, Row, Table
from caduceus.project.paper import PublishedResult

_SHOWN: tuple[Mark, ...] = ("best", "tied")


@dataclass(frozen=True)
class Format:
    """How a format writes text, numbers and gaps.

    `number` takes a value, its interval (empty, the half-width, or both ends), its mark, and
    whether it is the second best.
    """

    escape: Callable[[str], str]
    number: Callable[[str, Sequence[str], Mark | None, bool], str]
    to: str  # between the ends of a range
    absent: str  # in a cell without a number


def texts(table: Table, form: Format) -> tuple[list[str], list[list[str]]]:
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
    return [titled(title, unit, form) for title, unit in header], body


def titled(title: str, unit: str, form: Format) -> str:
    """Format a heading with its unit."""
    return f"{form.escape(title)} ({form.escape(unit)})" if unit else form.escape(title)


def _number(table: Table, heading: str, row: Row, form: Format) -> str:
    cell = row.cells.get(heading)
    if cell is None:
        return _published(row.published_cells.get(heading), table, heading, form)
    value, *ends = table.digits[heading].texts(cell.estimate.value, cell.spread)
    return form.number(value, ends, shown_mark(cell), cell.is_second)


def _runs(row: Row, form: Format) -> str:
    """Format the number of runs behind a row, a range if its cells differ."""
    if row.variant is None:
        return form.absent
    counts = {cell.estimate.n for cell in row.cells.values()} or {0}
    return form.to.join(map(str, sorted({min(counts), max(counts)})))


def _published(published: PublishedResult | None, table: Table, heading: str, form: Format) -> str:
    """Format a published value with the digits of our own in a column."""
    if published is None:
        return form.absent
    half = [] if published.interval is None else [published.interval]
    digits = table.digits.get(heading) or digits_of([published.value], half)
    value, *ends = digits.texts(published.value, half)
    return form.number(value, ends, None, False)


def shown_mark(cell: Cell) -> Mark | None:
    """Return the mark of a cell, if a table shows it."""
    is_single = cell.mark == "best" and cell.estimate.n == 1  # which noise may have chosen
    return cell.mark if cell.mark in _SHOWN and not is_single else None
