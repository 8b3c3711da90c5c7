"""Notes under a table that warn of what its numbers can't say."""

from collections.abc import Iterator, Mapping

from caduceus.paper import asymmetry_notes
from caduceus.paper.marks import Marks
from caduceus.paper.selection_notes import selection_notes
from caduceus.paper.table_cells import Sample
from caduceus.paper.table_layout import Layout
from caduceus.project.paper import TableEntry
from caduceus.statistics.settings import Methods

_SHOWN = {"median": "medians", "iqm": "interquartile means"}


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
    if marks.comparisons and methods.statistic in _SHOWN:
        yield f"The tests compare means, not {_SHOWN[methods.statistic]}."
    yield from asymmetry_notes.table_notes(layout, marks, samples)
    yield from selection_notes(entry.metrics, [row.variant for row in layout.rows])
