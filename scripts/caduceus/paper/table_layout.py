"""The rows and columns of a table: variants and metrics, or methods and tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.paper.labels import variant_label, varying_parameters
from caduceus.paper.results import Variant
from caduceus.paper.task_methods import group_methods
from caduceus.project.paper import FigureEntry, TableEntry
from caduceus.runs.files.plan import Spec
from caduceus.runs.metric import Metric


@dataclass(frozen=True)
class Head:
    """A title above several columns of a table.

    Attributes:
        title: of all of them.
        columns: the title of each of them, by its heading.
    """

    title: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class LayoutColumn:
    """A metric, of the variants on one task if the table has tasks.

    Attributes:
        heading: its name, which no other column has.
        shown: the heading of its metric in the entry.
        metric: its metric.
        task: its task; None if the table has none.
        variants: by row, those that have a cell in it.
    """

    heading: str
    shown: str
    metric: Metric
    task: str | None
    variants: Mapping[int, Variant]


@dataclass(frozen=True)
class LayoutRow:
    """A variant, or a method with its runs on all tasks."""

    labels: tuple[Any, ...]
    label: str  # what names it in a sentence
    variant: Variant


@dataclass(frozen=True)
class Layout:
    """The rows and columns of a table."""

    label_names: tuple[str, ...]
    rows: tuple[LayoutRow, ...]
    columns: tuple[LayoutColumn, ...]

    @property
    def heads(self) -> tuple[Head, ...]:
        """The titles above columns: the metrics, if each has a column for each task."""
        found: dict[str, dict[str, str]] = {}
        for column in self.columns:
            if column.task is not None:
                found.setdefault(column.shown, {})[column.heading] = column.task
        return tuple(Head(title, columns) for title, columns in found.items())


def lay_out(
    entry: TableEntry | FigureEntry, variants: Sequence[Variant], experiments: Sequence[Spec]
) -> Layout:
    """Return the rows and columns of the table or figure that an entry of `paper` describes.

    Args:
        entry: the entry.
        variants: those that it shows.
        experiments: the specs of their experiments.
    """
    if entry.tasks is not None:
        return _by_task(entry, entry.tasks, variants, experiments)
    names = varying_parameters(variants)
    rows = [
        LayoutRow(
            tuple(variant.parameters.get(name) for name in names) or (variant.name,),
            variant_label(variant, names),
            variant,
        )
        for variant in variants
    ]
    columns = [
        LayoutColumn(heading, heading, metric, None, dict(enumerate(variants)))
        for heading, metric in entry.metrics.items()
    ]
    return Layout(_headings(names, "variant"), tuple(rows), tuple(columns))


def _by_task(
    entry: TableEntry | FigureEntry,
    task: str,
    variants: Sequence[Variant],
    experiments: Sequence[Spec],
) -> Layout:
    found = group_methods(variants, task, experiments)
    columns = [
        LayoutColumn(
            name if len(entry.metrics) == 1 else f"{heading}: {name}",
            heading,
            metric,
            name,
            {
                row: method.tasks[name]
                for row, method in enumerate(found.methods)
                if name in method.tasks
            },
        )
        for heading, metric in entry.metrics.items()
        for name in found.tasks
    ]
    rows = tuple(
        LayoutRow(method.labels, variant_label(method.whole, found.names), method.whole)
        for method in found.methods
    )
    return Layout(_headings(found.names, "experiment"), rows, tuple(columns))


def _headings(names: Sequence[str], without: str) -> tuple[str, ...]:
    return tuple(name.replace(r"\.", ".") for name in names) or (without,)
