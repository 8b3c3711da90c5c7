"""The numbers of a table's cells, and the digits they are shown with."""

from collections.abc import Mapping
from dataclasses import dataclass

from caduceus.paper.results import Variant
from caduceus.paper.rounding import decimals_of
from caduceus.project.paper import TableEntry
from caduceus.runs.metric import Metric
from caduceus.statistics.estimates import Estimate, estimate_by
from caduceus.statistics.settings import Methods


@dataclass(frozen=True)
class Sample:
    """A metric's values in a variant's runs."""

    by_seed: Mapping[int, float]
    runs: tuple[str, ...]
    estimate: Estimate


def samples_of(
    variants: Mapping[int, Variant], metric: Metric, scale: float, methods: Methods
) -> dict[int, Sample]:
    """Return the values and the estimate of a metric, by row."""
    samples = {}
    for row, variant in variants.items():
        measured = [(result, result.value(metric)) for result in variant.results]
        values = [(result, value * scale) for result, value in measured if value is not None]
        if values:
            samples[row] = Sample(
                {result.seed: value for result, value in values},
                tuple(result.run for result, _ in values),
                estimate_by(methods, [value for _, value in values]),
            )
    return samples


def column_decimals(
    entry: TableEntry, samples: Mapping[str, Mapping[int, Sample]]
) -> dict[str, int]:
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
