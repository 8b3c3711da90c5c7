"""The numbers of a table's cells, and the digits they are shown with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from caduceus.paper.results import Variant
from caduceus.paper.rounding import Digits, digits_of
from caduceus.project.paper import Spread, TableEntry
from caduceus.runs.metric import Metric
from caduceus.statistics.bounded import estimate_within
from caduceus.statistics.estimates import Estimate
from caduceus.statistics.settings import Methods

_FINE = 2  # more decimals than this of a percentage show what one decimal would hide


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
    bounds = metric.range and [end if end is None else end * scale for end in metric.range]
    for row, variant in variants.items():
        measured = [(result, result.value(metric)) for result in variant.results]
        values = [(result, value * scale) for result, value in measured if value is not None]
        if values:
            samples[row] = Sample(
                {result.seed: value for result, value in values},
                tuple(result.run for result, _ in values),
                estimate_within(methods, [value for _, value in values], bounds),
            )
    return samples


def column_digits(
    entry: TableEntry, samples: Mapping[str, Mapping[int, Sample]], percents: Collection[str]
) -> dict[str, Digits]:
    """Return the digits of each column; `percents` are the headings of those in percent."""
    found = {
        heading: [sample.estimate for sample in column.values()]
        for heading, column in samples.items()
    }
    return {
        heading: _digits(entry, estimates, heading in percents)
        for heading, estimates in found.items()
        if estimates
    }


def half_spread(estimate: Estimate, spread: Spread) -> float:
    """Return what stands after the ± of a number, or half the width of its interval."""
    if spread == "std":
        return estimate.std
    if spread == "standard_error":
        return estimate.standard_error
    return (estimate.high - estimate.low) / 2


def _digits(entry: TableEntry, estimates: Sequence[Estimate], is_percent: bool) -> Digits:
    if entry.decimals is not None:
        return Digits(entry.decimals)
    digits = digits_of(
        [each.value for each in estimates], [half_spread(each, entry.spread) for each in estimates]
    )
    if not is_percent:
        return digits
    return digits if digits.decimals > _FINE else Digits(1)
