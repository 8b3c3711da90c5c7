"""Tables of a paper: a row for each variant, a column for each metric, the best ones marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.paper.labels import Published, published_value, varying_parameters
from caduceus.paper.marks import Column, Standing, Standings, find_best
from caduceus.paper.results import Variant
from caduceus.paper.rounding import decimals_of
from caduceus.paper.table_notes import is_symmetric, table_notes
from caduceus.project.paper_selections import Metric, goal_of
from caduceus.statistics.estimates import Estimate, estimate


@dataclass(frozen=True)
class Cell:
    """A metric of a variant.

    Attributes:
        estimate: over its runs, in the unit that is shown.
        runs: their ids.
        standing: beside the best of the column; None if no goal is known.
        p: that it is the best's equal, corrected; None of the best itself.
    """

    estimate: Estimate
    runs: tuple[str, ...]
    standing: Standing | None
    p: float | None


@dataclass(frozen=True)
class Row:
    """A variant, or a published value without one."""

    labels: tuple[Any, ...]  # values of the parameters that tell variants apart
    variant: Variant | None
    cells: Mapping[str, Cell]  # by heading, where there is a number
    published: Published | None


@dataclass(frozen=True)
class Table:
    """A table before it is put in a format."""

    name: str
    title: str
    label_names: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    decimals: Mapping[str, int]  # by heading
    is_symmetric: bool  # so that half an interval says it all


@dataclass(frozen=True)
class _Sample:
    """What a variant's runs have of a metric."""

    by_seed: Mapping[int, float]
    runs: tuple[str, ...]
    estimate: Estimate


def build_table(
    name: str,
    spec: Mapping[str, Any],
    statistics: Mapping[str, Any],
    variants: Sequence[Variant],
    experiments: Sequence[Mapping[str, Any]],
) -> Table:
    """Arrange what runs have found as an entry of `paper.tables` says.

    Args:
        name: the table's.
        spec: its entry, every default filled in.
        statistics: `paper.statistics`.
        variants: those it shows.
        experiments: the specs of their experiments, which may know which way is better.
    """
    scale = 100.0 if spec["percent"] else 1.0
    samples = {
        heading: _samples(variants, metric, scale, statistics)
        for heading, metric in spec["metrics"].items()
    }
    columns = {
        heading: Column(
            goal,
            {row: sample.estimate.value for row, sample in samples[heading].items()},
            {row: sample.by_seed for row, sample in samples[heading].items()},
        )
        for heading, metric in spec["metrics"].items()
        if (goal := goal_of(metric, spec, experiments))
    }
    standings = find_best(columns, statistics["test"], statistics["alpha"])
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
            _cells(row, samples, standings),
            published_value(spec["published"], variant.parameters),
        )
        for row, variant in enumerate(variants)
    ]
    headings = tuple(name.replace(r"\.", ".") for name in names) or ("variant",)
    for entry in spec["published"]:
        if entry["label"]:
            labels = (entry["label"], *[None] * (len(headings) - 1))
            rows.append(Row(labels, None, {}, Published(entry["value"], entry["interval"])))
    return Table(
        name,
        spec["title"],
        headings,
        tuple(spec["metrics"]),
        tuple(rows),
        tuple(table_notes(spec, statistics, variants, standings, list(intervals), missing)),
        _decimals(spec, samples),
        is_symmetric(list(intervals)),
    )


def _decimals(
    spec: Mapping[str, Any], samples: Mapping[str, Mapping[int, _Sample]]
) -> dict[str, int]:
    """How many digits after the point each column has."""
    decimals = 1 if spec["decimals"] is None and spec["percent"] else spec["decimals"]
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
    variants: Sequence[Variant], metric: Metric, scale: float, statistics: Mapping[str, Any]
) -> dict[int, _Sample]:
    """What there is of a metric, by row."""
    how = {name: statistics[name] for name in ("statistic", "interval", "confidence", "resamples")}
    samples = {}
    for row, variant in enumerate(variants):
        found = [(result, result.value(metric)) for result in variant.results]
        values = [(result, value * scale) for result, value in found if value is not None]
        if values:
            samples[row] = _Sample(
                {result.seed: value for result, value in values},
                tuple(result.run for result, _ in values),
                estimate([value for _, value in values], **how),
            )
    return samples


def _cells(
    row: int, samples: Mapping[str, Mapping[int, _Sample]], standings: Standings
) -> dict[str, Cell]:
    return {
        heading: Cell(
            found[row].estimate,
            found[row].runs,
            standings.of.get((heading, row)),
            standings.p.get((heading, row)),
        )
        for heading, found in samples.items()
        if row in found
    }
