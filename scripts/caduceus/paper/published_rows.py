"""Published values in a table: beside the variants they belong to, and in rows of their own."""

from collections.abc import Sequence
from dataclasses import replace

from caduceus.paper.labels import parameter_text, published_value
from caduceus.paper.table_content import Row, Table
from caduceus.paper.table_layout import Layout, LayoutColumn
from caduceus.project.paper import PublishedResult, TableEntry


def with_published(table: Table, entry: TableEntry, layout: Layout) -> Table:
    """Return a table with the published values of its entry.

    Without tasks they stand beside the row of their variant, or in a row of their label. With tasks
    they stand in the columns of the first metric and their tasks, in a row below their method's or
    in one of their label.

    Args:
        table: the table.
        entry: its entry in `paper.tables`.
        layout: its rows and columns.
    """
    rows: list[Row] = []
    for place, row in enumerate(table.rows):
        if entry.tasks is None:
            rows.append(replace(row, published=_beside(row, entry.published)))
            continue
        rows.append(row)
        cells = {
            column.heading: found
            for column in _columns(layout)
            if place in column.variants
            for found in [
                published_value(_unlabelled(entry.published), column.variants[place].parameters)
            ]
            if found
        }
        if cells:
            first, *others = row.labels
            labels = (f"{parameter_text(first)} (published)", *others)
            rows.append(Row(labels, None, {}, None, cells))
    gaps = [None] * (len(table.label_names) - 1)
    if entry.tasks is None:
        rows += [
            Row((other.label, *gaps), None, {}, other) for other in entry.published if other.label
        ]
    else:
        rows += [
            Row((label, *gaps), None, {}, None, _of_label(label, entry, layout))
            for label in dict.fromkeys(other.label for other in entry.published if other.label)
        ]
    return replace(table, rows=tuple(rows))


def _beside(row: Row, published: Sequence[PublishedResult]) -> PublishedResult | None:
    return published_value(published, row.variant.parameters) if row.variant else None


def _unlabelled(published: Sequence[PublishedResult]) -> list[PublishedResult]:
    return [each for each in published if not each.label]


def _columns(layout: Layout) -> list[LayoutColumn]:
    """Return the columns of the first metric."""
    return [column for column in layout.columns if column.shown == layout.columns[0].shown]


def _of_label(label: str, entry: TableEntry, layout: Layout) -> dict[str, PublishedResult]:
    """Return the published values of a label by heading; its parameters name the task."""
    return {
        column.heading: other
        for column in _columns(layout)
        for other in entry.published
        if other.label == label
        and parameter_text(other.parameters.get(entry.tasks or "")) == column.task
    }
