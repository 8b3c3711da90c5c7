"""Intervals of a table's cells over test items, in place of those over seeds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from caduceus.errors import SpecError
from caduceus.io.phrases import count_of
from caduceus.paper.item_tables import ItemTables, read_tables, scale_to_metric
from caduceus.paper.results import Variant
from caduceus.paper.rounding import round_value
from caduceus.paper.table_cells import Sample
from caduceus.paper.table_layout import Layout
from caduceus.project.paper import TableEntry
from caduceus.statistics.items import LEAST_RARE, bootstrap_items, cluster_sums, rare_items
from caduceus.statistics.settings import Methods


@dataclass(frozen=True)
class ItemIntervals:
    """The cells of a table with intervals over test items.

    Attributes:
        samples: by heading and row; the same values, with other intervals.
        notes: what the intervals rest on, and where they can't be relied on.
    """

    samples: Mapping[str, Mapping[int, Sample]]
    notes: tuple[str, ...]


def over_items(
    entry: TableEntry,
    layout: Layout,
    samples: Mapping[str, Mapping[int, Sample]],
    factors: Mapping[str, float],
    methods: Methods,
    where: str,
) -> ItemIntervals:
    """Compute the interval of each cell's mean over test items, or clusters of them.

    The runs of a cell are taken as they are, and their scores averaged by item. The interval is a
    bootstrap by expanded percentiles (see `bootstrap_items`).

    Args:
        entry: the table's entry in `paper.tables`.
        layout: its rows and columns.
        samples: the values of its cells, by heading and row.
        factors: by heading, what logged values are multiplied by to be shown.
        methods: the statistical methods.
        where: the entry's keys, for error messages.

    Raises:
        ResultError: a run lacks its file of scores, the file is wrong, or two runs of a cell have
            different items.
        SpecError: the mean of the scores isn't the metric of a column.
    """
    assert entry.items is not None  # checked with the entry
    method = f"mean, {100 * methods.confidence:.4g} % interval by bootstrap of test items"
    read: dict[tuple[str, ...], ItemTables] = {}
    found: dict[str, dict[int, Sample]] = {}
    sizes: dict[tuple[int, int], None] = {}
    rare: list[str] = []
    for column in layout.columns:
        heading, factor = column.heading, factors[column.heading]
        found[heading] = {}
        for row, sample in samples[heading].items():
            variant = column.variants[row]
            if sample.runs not in read:
                runs = [each for each in variant.results if each.run in sample.runs]
                read[sample.runs] = read_tables([runs], entry.items)
            tables = read[sample.runs]
            logged = np.array(list(sample.by_seed.values())) / factor
            scale = scale_to_metric(tables, [logged])
            if scale is None:
                raise SpecError(_other(entry, heading, variant, tables, logged), where)
            means = tables.sides[0].mean(axis=0)
            sums = cluster_sums(means, tables.clusters)
            counts = cluster_sums(np.ones(len(means)), tables.clusters)
            low, high = bootstrap_items(sums, counts, methods.confidence, methods.resamples, 0)
            sizes[len(means), len(counts)] = None
            if rare_items(sums / counts) < LEAST_RARE:
                rare.append(f"{layout.rows[row].label} ({heading})")
            estimate = replace(
                sample.estimate,
                low=scale * factor * low,
                high=scale * factor * high,
                method=method,
            )
            found[heading][row] = replace(sample, estimate=estimate)
    return ItemIntervals(found, tuple(_notes(list(sizes), rare)))


def _notes(sizes: Sequence[tuple[int, int]], rare: Sequence[str]) -> Iterator[str]:
    counts = [
        count_of(items, "test item") + (f" in {groups:,} clusters" if groups < items else "")
        for items, groups in sizes
    ]
    if counts:
        yield (
            f"Intervals are over {' or '.join(counts)}; runs are taken as they are, so that other "
            "seeds may differ by more."
        )
    if rare:
        yield (
            f"Fewer than {LEAST_RARE} test items, or clusters of them, have another mean score "
            "than the commonest one, so that the interval may be much too narrow: "
            f"{', '.join(rare)}."
        )


def _other(
    entry: TableEntry, heading: str, variant: Variant, tables: ItemTables, logged: np.ndarray
) -> str:
    assert entry.items is not None
    means = tables.sides[0].mean(axis=1)
    worst = int(np.abs(means - logged).argmax())
    return (
        f"metrics.{heading}: the scores in {entry.items.file} have the mean "
        f"{round_value(means[worst])} in a run of {variant.name}, and the metric is "
        f"{round_value(logged[worst])}; show a metric that is their mean, or leave out "
        "`spread: items`"
    )
