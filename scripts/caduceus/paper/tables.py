"""Build a paper's table: a row for each variant, a column for each metric, the best marked.

With `tasks` a row is a method, and each metric has a column for each task.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import isnan

from caduceus.paper.item_intervals import over_items
from caduceus.paper.marks import Column, Marks, Place, find_best
from caduceus.paper.percentages import percent_headings
from caduceus.paper.published_rows import with_published
from caduceus.paper.relative_columns import relative_columns, relative_note
from caduceus.paper.results import Variant
from caduceus.paper.second_best import second_best
from caduceus.paper.table_cells import Sample, column_digits, half_spread, samples_of
from caduceus.paper.table_content import Cell, Row, Table
from caduceus.paper.table_layout import lay_out
from caduceus.paper.table_notes import SPREADS, is_symmetric, table_notes
from caduceus.paper.table_warnings import table_warnings
from caduceus.paper.task_aggregates import aggregate_notes, aggregates_of, baseline_row, on_tasks
from caduceus.paper.task_columns import with_aggregates
from caduceus.project.paper import Spread, TableEntry
from caduceus.project.paper_selections import goal_of
from caduceus.runs.files.plan import Spec
from caduceus.statistics.estimates import Estimate
from caduceus.statistics.settings import Methods


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
        variants: those that it shows.
        experiments: the specs of their experiments; a goal or baseline that the entry lacks is
            theirs.

    Raises:
        SpecError: the baseline of a table with tasks matches none or several of its methods.
    """
    layout = lay_out(entry, variants, experiments)
    percents = percent_headings(entry, variants, experiments)
    where = f"paper.tables.{name}"
    factors = {
        column.heading: 100.0 if column.shown in percents else 1.0 for column in layout.columns
    }
    samples: Mapping[str, Mapping[int, Sample]] = {
        column.heading: samples_of(column.variants, column.metric, factors[column.heading], methods)
        for column in layout.columns
    }
    about_items: tuple[str, ...] = ()
    if entry.spread == "items":
        found = over_items(entry, layout, samples, factors, methods, where)
        samples, about_items = found.samples, found.notes
    shown = {column.heading: column.variants for column in layout.columns}
    goals = {
        column.heading: goal_of(column.metric, entry.goal, experiments) for column in layout.columns
    }
    columns = {
        heading: Column(
            goal,
            {row: sample.estimate.value for row, sample in samples[heading].items()},
            {row: sample.by_seed for row, sample in samples[heading].items()},
            frozenset(row for row, variant in shown[heading].items() if variant.is_deterministic),
        )
        for heading, goal in goals.items()
        if goal
    }
    marks = find_best(columns, methods.test, methods.alpha, methods.statistic, methods.folds)
    second = second_best(columns, marks.by_place) if entry.underlines_second else set()
    missing = {
        column.heading: sum(len(each.results) - each.failed for each in column.variants.values())
        - sum(len(sample.runs) for sample in samples[column.heading].values())
        for column in layout.columns
    }
    intervals = dict.fromkeys(
        _kind(sample.estimate)
        for found in samples.values()
        for sample in found.values()
        if not isnan(sample.estimate.low)
    )
    equal = [
        (heading, row)
        for heading, found in samples.items()
        for row, sample in found.items()
        if sample.estimate.std == 0 or shown[heading][row].is_deterministic
    ]
    metrics = on_tasks(layout, samples, goals) if entry.tasks else []
    aggregates = aggregates_of(entry, layout, metrics, experiments, methods, where)
    added = [*about_items, *aggregate_notes(entry, layout, metrics, aggregates, methods, where)]
    changes, against = [], ""
    if entry.relative:
        base = baseline_row(entry, layout, experiments, where)
        against = layout.rows[base].label
        changes = relative_columns(layout, samples, base, methods)
        added.append(relative_note(against, methods))
    notes = table_notes(
        entry, methods, layout, percents, marks, list(intervals), missing, equal, added
    )
    halves = {
        heading
        for heading, found in samples.items()
        if entry.spread in SPREADS or (entry.spread == "interval" and _have_halves(found.values()))
    }
    table = Table(
        name,
        entry.title,
        layout.label_names,
        tuple(column.heading for column in layout.columns),
        tuple(
            Row(
                each.labels,
                each.variant,
                _cells(row, samples, marks, second, entry.spread, halves),
                None,
            )
            for row, each in enumerate(layout.rows)
        ),
        (*notes, *table_warnings(entry, methods, layout, marks, samples)),
        column_digits(
            entry,
            samples,
            {column.heading for column in layout.columns if column.shown in percents},
        ),
        layout.heads,
        {column.heading: column.shown for column in layout.columns},
        percents if len(percents) < len(entry.metrics) else frozenset(),
    )
    table = with_aggregates(table, entry, "over tasks", aggregates)
    table = with_aggregates(table, entry, f"against {against}", changes)
    return with_published(table, entry, layout)


def _cells(
    row: int,
    samples: Mapping[str, Mapping[int, Sample]],
    marks: Marks,
    second: Collection[Place],
    spread: Spread,
    halves: Collection[str],
) -> dict[str, Cell]:
    return {
        heading: Cell(
            found[row].estimate,
            found[row].runs,
            marks.by_place.get((heading, row)),
            marks.p.get((heading, row)),
            (heading, row) in second,
            _spread(found[row].estimate, spread, heading in halves),
        )
        for heading, found in samples.items()
        if row in found
    }


def _kind(estimate: Estimate) -> str:
    """Return the method of an interval, such as "Student's t"."""
    return estimate.method.partition(" interval by ")[2]


def _have_halves(samples: Iterable[Sample]) -> bool:
    return is_symmetric([_kind(each.estimate) for each in samples if each.estimate.n > 1])


def _spread(estimate: Estimate, spread: Spread, is_half: bool) -> tuple[float, ...]:
    """Return what stands after a number: a half-width, or the ends of an interval."""
    if spread in SPREADS:
        size = half_spread(estimate, spread)
        return (size,) if size > 0 else ()
    if isnan(estimate.low):  # a single run, or runs that all have the same value
        return ()
    return (half_spread(estimate, spread),) if is_half else (estimate.low, estimate.high)
