"""Build a paper's table: a row for each variant, a column for each metric, the best marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.paper.labels import published_value, varying_parameters
from caduceus.paper.marks import Column, Mark, Marks, find_best
from caduceus.paper.results import Variant
from caduceus.paper.rounding import decimals_of
from caduceus.paper.table_notes import is_symmetric, table_notes
from caduceus.project.paper import PublishedResult, TableEntry
from caduceus.project.paper_selections import goal_of
from caduceus.runs.files.plan import Spec
from caduceus.runs.metric import Metric
from caduceus.statistics.estimates import Estimate, estimate_by
from caduceus.statistics.settings import Methods


@dataclass(frozen=True)
class Cell:
    """A metric of a variant.

    Attributes:
        estimate: over the variant's runs, in the unit of the table.
        runs: the ids of these runs.
        mark: its comparison with the best of the column; None if no goal is known.
        p: of this comparison, corrected; None for the best itself.
    """

    estimate: Estimate
    runs: tuple[str, ...]
    mark: Mark | None
    p: float | None


@dataclass(frozen=True)
class Row:
    """A variant, or a published value that belongs to none."""

    labels: tuple[Any, ...]  # the values of the parameters in which the variants differ
    variant: Variant | None
    cells: Mapping[str, Cell]  # by heading; a metric without a number has none
    published: PublishedResult | None


@dataclass(frozen=True)
class Table:
    """A table, independent of the format it is written in."""

    name: str
    title: str
    label_names: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    decimals: Mapping[str, int]  # by heading
    is_symmetric: bool  # each interval is the value plus or minus its half-width


@dataclass(frozen=True)
class _Sample:
    """A metric's values in a variant's runs."""

    by_seed: Mapping[int, float]
    runs: tuple[str, ...]
    estimate: Estimate


def build_table(
    name: str,
    entry: TableEntry,
    methods: Methods,
    variants: Sequence[Variant],
    experiments: Sequence[Spec],
) -> Table:
    """Build the table that an entry of `paper.tables` describes.

    Args:
        name: the name of the table.
        entry: the entry.
        methods: the statistical methods.
        variants: its rows.
        experiments: the specs of their experiments; a goal that the entry lacks is taken from
            their `metric`.
    """
    samples = {
        heading: _samples(variants, metric, entry.scale, methods)
        for heading, metric in entry.metrics.items()
    }
    columns = {
        heading: Column(
            goal,
            {row: sample.estimate.value for row, sample in samples[heading].items()},
            {row: sample.by_seed for row, sample in samples[heading].items()},
        )
        for heading, metric in entry.metrics.items()
        if (goal := goal_of(metric, entry.goal, experiments))
    }
    marks = find_best(columns, methods.test, methods.alpha, methods.statistic)
    finished = sum(len(variant.results) - variant.failed for variant in variants)
    missing = {
        heading: finished - sum(len(sample.runs) for sample in found.values())
        for heading, found in samples.items()
    }
    intervals = dict.fromkeys(
        sample.estimate.method.partition(" interval by ")[2]
        for found in samples.values()
        for sample in found.values()
        if sample.estimate.n > 1
    )
    names = varying_parameters(variants)
    rows = [
        Row(
            tuple(variant.parameters.get(name) for name in names) or (variant.name,),
            variant,
            _cells(row, samples, marks),
            published_value(entry.published, variant.parameters),
        )
        for row, variant in enumerate(variants)
    ]
    headings = tuple(name.replace(r"\.", ".") for name in names) or ("variant",)
    for other in entry.published:
        if other.label:
            labels = (other.label, *[None] * (len(headings) - 1))
            rows.append(Row(labels, None, {}, other))
    return Table(
        name,
        entry.title,
        headings,
        tuple(entry.metrics),
        tuple(rows),
        tuple(table_notes(entry, methods, variants, marks, list(intervals), missing)),
        _decimals(entry, samples),
        is_symmetric(list(intervals)),
    )


def _decimals(entry: TableEntry, samples: Mapping[str, Mapping[int, _Sample]]) -> dict[str, int]:
    """Return the number of decimals of each column."""
    decimals = 1 if entry.decimals is None and entry.percent else entry.decimals
    if decimals is not None:
        return dict.fromkeys(samples, decimals)
    estimates = {
        heading: [sample.estimate for sample in found.values()]
        for heading, found in samples.items()
    }
    return {
        heading: decimals_of([e.value for e in found], [(e.high - e.low) / 2 for e in found])
        for heading, found in estimates.items()
        if found
    }


def _samples(
    variants: Sequence[Variant], metric: Metric, scale: float, methods: Methods
) -> dict[int, _Sample]:
    """Return the values and the estimate of a metric, by row."""
    samples = {}
    for row, variant in enumerate(variants):
        measured = [(result, result.value(metric)) for result in variant.results]
        values = [(result, value * scale) for result, value in measured if value is not None]
        if values:
            samples[row] = _Sample(
                {result.seed: value for result, value in values},
                tuple(result.run for result, _ in values),
                estimate_by(methods, [value for _, value in values]),
            )
    return samples


def _cells(row: int, samples: Mapping[str, Mapping[int, _Sample]], marks: Marks) -> dict[str, Cell]:
    return {
        heading: Cell(
            found[row].estimate,
            found[row].runs,
            marks.by_place.get((heading, row)),
            marks.p.get((heading, row)),
        )
        for heading, found in samples.items()
        if row in found
    }
