"""Which metrics of a table or figure are shown in percent."""

from collections.abc import Iterable, Sequence

from caduceus.paper.results import Variant
from caduceus.project.paper import Shown
from caduceus.project.paper_selections import goal_of
from caduceus.runs.files.plan import Spec
from caduceus.runs.goal import Goal
from caduceus.runs.metric import Metric


def percent_headings(
    entry: Shown, variants: Sequence[Variant], specs: Iterable[Spec]
) -> frozenset[str]:
    """Return the headings of the metrics that are fractions, to be multiplied by 100.

    A metric's own `percent` decides. `percent: true` of the entry is for its only metric, or for
    those of several that are fractions: declared by `range: [0, 1]`, or without a range if all
    values are from 0 to 1 and less isn't better, as a loss below 1 may not be a fraction.

    Args:
        entry: the entry of `paper`.
        variants: those that it shows.
        specs: their experiments, one of which may have a metric's goal.
    """
    known = list(specs)
    return frozenset(
        heading
        for heading, metric in entry.metrics.items()
        if (
            metric.percent
            if metric.percent is not None
            else entry.percent
            and (len(entry.metrics) == 1 or _is_fraction(entry, metric, variants, known))
        )
    )


def _is_fraction(
    entry: Shown, metric: Metric, variants: Sequence[Variant], specs: Sequence[Spec]
) -> bool:
    if metric.range is not None:
        return metric.range == (0, 1)
    if goal_of(metric, entry.goal, specs) is Goal.MINIMIZE:
        return False
    return all(0 <= value <= 1 for each in variants for value in each.by_seed(metric).values())
