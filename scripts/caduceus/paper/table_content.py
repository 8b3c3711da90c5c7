"""A table, independent of the format it is written in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from caduceus.paper.marks import Mark
from caduceus.paper.results import Variant
from caduceus.paper.rounding import Digits
from caduceus.paper.table_layout import Head
from caduceus.project.paper import PublishedResult
from caduceus.statistics.estimates import Estimate


@dataclass(frozen=True)
class Cell:
    """A metric of a variant.

    Attributes:
        estimate: over the variant's runs, in the unit of the table.
        runs: the ids of these runs.
        mark: its comparison with the best of the column; None if no goal is known.
        p: of this comparison, corrected; None for the best itself.
        is_second: whether it is underlined as the second best value of the column.
        spread: what stands after the number: a half-width, both ends of an interval, or nothing.
    """

    estimate: Estimate
    runs: tuple[str, ...]
    mark: Mark | None
    p: float | None
    is_second: bool = False
    spread: tuple[float, ...] = ()


@dataclass(frozen=True)
class Row:
    """A variant or a method, or published values.

    Attributes:
        labels: the values of the parameters in which the rows differ.
        variant: the variant, or a method's runs on all tasks; None of published values alone.
        cells: by heading; a metric without a number has none.
        published: the published value of the variant, or of the label.
        published_cells: in a table with tasks, the published values by heading.
    """

    labels: tuple[Any, ...]
    variant: Variant | None
    cells: Mapping[str, Cell]
    published: PublishedResult | None
    published_cells: Mapping[str, PublishedResult] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: its name.
        title: its title.
        label_names: the headings of the rows' labels.
        headings: the headings of its columns.
        rows: its rows.
        notes: what stands below it.
        digits: those that its numbers are shown with, by heading.
        heads: the titles above columns, in their order; none without tasks.
        metrics: by heading, the heading of the metric in the entry.
        percents: the headings of the entry's metrics that are in percent, if others aren't.
        unitless: the headings of columns that aren't in the unit of their metric, such as ranks.
    """

    name: str
    title: str
    label_names: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    digits: Mapping[str, Digits]
    heads: tuple[Head, ...]
    metrics: Mapping[str, str]
    percents: frozenset[str] = frozenset()
    unitless: frozenset[str] = frozenset()

    def unit(self, heading: str) -> str:
        """Return what stands after a column's heading: a power of ten, %, or nothing."""
        digits = self.digits.get(heading)
        is_percent = self.metrics[heading] in self.percents and heading not in self.unitless
        return " ".join(filter(None, (digits.power if digits else "", "%" if is_percent else "")))
