"""Notes under a table that warn of what its numbers can't say."""

import math
from collections.abc import Iterator, Mapping

from caduceus.paper.marks import Marks
from caduceus.paper.range_notes import range_notes
from caduceus.paper.selection_notes import selection_notes
from caduceus.paper.table_cells import Sample
from caduceus.paper.table_layout import Layout
from caduceus.project.paper import TableEntry
from caduceus.statistics.asymmetry import SKEWED, asymmetries
from caduceus.statistics.settings import Methods
from caduceus.statistics.studentized import LEAST_N

_WHY = "as the tests take them to be, so that they may err more often than they should"
_SHOWN = {"median": "medians", "iqm": "interquartile means"}
_COMPARED = {  # see `decide_family`
    "sign_flip": "The sign-flip test compares {}, as shown.",
    "wilcoxon": "The Wilcoxon test compares ranks of differences, not {}.",
    "permutation": "The test of unpaired runs compares means, not {}.",
}


def table_warnings(
    entry: TableEntry,
    methods: Methods,
    layout: Layout,
    marks: Marks,
    samples: Mapping[str, Mapping[int, Sample]],
) -> Iterator[str]:
    """Yield the warnings.

    Args:
        entry: the table's entry in `paper.tables`.
        methods: the statistical methods.
        layout: its rows and columns.
        marks: of its cells.
        samples: the values of its cells, by heading and row.
    """
    single = [
        f"{layout.rows[row].label} ({heading})"
        for heading, row in marks.places("best")
        if samples[heading][row].estimate.n == 1
    ]
    if single:
        yield f"The best, but not bold, as a single run shows no noise: {', '.join(single)}."
    if shown := _SHOWN.get(methods.statistic):
        tests = {comparison.test for comparison in marks.comparisons.values()}
        yield from (what.format(shown) for test, what in _COMPARED.items() if test in tests)
    yield from _asymmetric(layout, marks, samples)
    if entry.spread == "interval":
        yield from _about_intervals(methods, layout, samples)
    variants = [row.variant for row in layout.rows]
    yield from range_notes(entry.metrics, variants)
    yield from selection_notes(entry.metrics, variants)


def _asymmetric(
    layout: Layout, marks: Marks, samples: Mapping[str, Mapping[int, Sample]]
) -> Iterator[str]:
    """Yield a sentence on the cells whose differences to the best don't look symmetric."""
    cells = []
    for (heading, row), comparison in marks.comparisons.items():
        if not comparison.is_paired or comparison.equal:
            continue
        one, other = (samples[heading][each].by_seed for each in (marks.chosen[heading], row))
        found = asymmetries([one[seed] - other[seed] for seed in one if seed in other])
        if found:
            cells.append(f"{layout.rows[row].label} ({heading}: {', '.join(found)})")
    if cells:
        yield f"Differences to the best may not be symmetric, {_WHY}: {'; '.join(cells)}."


def _about_intervals(
    methods: Methods, layout: Layout, samples: Mapping[str, Mapping[int, Sample]]
) -> Iterator[str]:
    """Yield sentences on skewed values, and on cells that have no interval by bootstrap-t."""
    skewed, without = [], []
    for column in layout.columns:
        for row, sample in samples[column.heading].items():
            cell = f"{layout.rows[row].label} ({column.heading})"
            values = list(sample.by_seed.values())
            if column.metric.range is None and SKEWED in asymmetries(values):
                skewed.append(cell)
            if math.isnan(sample.estimate.low) and sample.estimate.std > 0:
                without.append(cell)
    if skewed and methods.is_students_t:
        yield (
            "Values may be skewed, so that intervals are less often right than they say: "
            f"{', '.join(skewed)}. interval: bootstrap-t under paper.statistics helps."
        )
    if without and methods.interval == "bootstrap-t":
        yield (
            f"No interval by bootstrap-t, which needs {LEAST_N} runs without many equal values: "
            f"{', '.join(without)}."
        )
