"""Add columns of estimates to a table: aggregates over tasks, changes against a baseline."""

from collections.abc import Sequence
from dataclasses import replace
from math import isnan

from caduceus.paper.rounding import Digits, digits_of
from caduceus.paper.table_content import Cell, Row, Table
from caduceus.paper.table_layout import Head
from caduceus.paper.task_aggregates import Aggregate
from caduceus.project.paper import TableEntry
from caduceus.statistics.estimates import Estimate


def with_aggregates(
    table: Table, entry: TableEntry, title: str, aggregates: Sequence[Aggregate]
) -> Table:
    """Return a table with more columns, at its end.

    Args:
        table: the table.
        entry: its entry in `paper.tables`.
        title: what stands above these columns.
        aggregates: the columns, which may be none.
    """
    if not aggregates:
        return table
    head = Head(title, {each.heading: each.title for each in aggregates})
    before = table.heads or (Head("", {heading: heading for heading in table.headings}),)
    return replace(
        table,
        headings=(*table.headings, *head.columns),
        heads=(*before, head),
        metrics={**table.metrics, **{each.heading: each.shown for each in aggregates}},
        unitless=table.unitless
        | frozenset(
            each.heading for each in aggregates if entry.normalise or each.decimals is not None
        ),
        digits={
            **table.digits,
            **{each.heading: _digits(each, entry) for each in aggregates},
        },
        rows=tuple(
            replace(row, cells={**row.cells, **_cells(place, row, table, aggregates)})
            for place, row in enumerate(table.rows)
        ),
    )


def _cells(place: int, row: Row, table: Table, aggregates: Sequence[Aggregate]) -> dict[str, Cell]:
    return {
        each.heading: Cell(
            each.estimates[place],
            tuple(
                run
                for heading, cell in row.cells.items()
                if table.metrics[heading] == each.shown and heading in each.tasks
                for run in cell.runs
            ),
            None,
            None,
            spread=_ends(each.estimates[place]),
        )
        for each in aggregates
        if place in each.estimates
    }


def _digits(each: Aggregate, entry: TableEntry) -> Digits:
    if each.decimals is not None:
        return Digits(each.decimals)
    if entry.decimals is not None and not entry.normalise:
        return Digits(entry.decimals)
    found = list(each.estimates.values())
    return digits_of([e.value for e in found], [(e.high - e.low) / 2 for e in found])


def _ends(estimate: Estimate) -> tuple[float, ...]:
    return () if isnan(estimate.low) else (estimate.low, estimate.high)
