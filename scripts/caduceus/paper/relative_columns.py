"""Columns of a table with the relative change of each number against the baseline's."""

from collections.abc import Mapping

from caduceus.paper.table_cells import Sample
from caduceus.paper.table_layout import Layout
from caduceus.paper.task_aggregates import Aggregate
from caduceus.statistics.comparisons import compared_seeds
from caduceus.statistics.estimates import Estimate
from caduceus.statistics.ratios import relative_change
from caduceus.statistics.settings import Methods


def relative_columns(
    layout: Layout,
    samples: Mapping[str, Mapping[int, Sample]],
    base: int,
    methods: Methods,
) -> list[Aggregate]:
    """Return a column for each one of a table: the change of the mean in percent.

    A baseline without a positive mean gives no change.

    Args:
        layout: the rows and columns of the table.
        samples: its numbers, by heading of a column and row.
        base: the row of the baseline.
        methods: the statistical methods.
    """
    several = len({column.shown for column in layout.columns}) > 1
    found = []
    for column in layout.columns:
        rows = samples[column.heading]
        title = column.heading if several or column.task is None else column.task
        estimates: dict[int, Estimate] = {}
        if base in rows:
            reference = rows[base].by_seed
            changes = {
                row: _change(sample.by_seed, reference, methods)
                for row, sample in rows.items()
                if row != base
            }
            estimates = {row: change for row, change in changes.items() if change}
        heading = f"{column.heading}: change"
        tasks = frozenset([column.heading])
        found.append(Aggregate(heading, f"{title} (%)", column.shown, estimates, tasks, 1))
    return found


def _change(
    by_seed: Mapping[int, float], reference: Mapping[int, float], methods: Methods
) -> Estimate | None:
    seeds, reference_seeds = compared_seeds(by_seed, reference, methods.test)
    second = [reference[seed] for seed in reference_seeds]
    if sum(second) <= 0:
        return None
    first = [by_seed[seed] for seed in seeds]
    is_paired = seeds == reference_seeds
    return relative_change(first, second, is_paired, methods.confidence, methods.folds)


def relative_note(label: str, methods: Methods) -> str:
    """Return the note on these columns; `label` is that of the baseline."""
    return (
        f"Against {label}: the change of the mean in % [{100 * methods.confidence:g} % interval by "
        f"Fieller's method], on the runs that are compared; none if the mean of {label} isn't "
        "positive."
    )
