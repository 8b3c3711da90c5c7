"""Sentences on tests that take differences as symmetric where the data don't look so."""

from collections.abc import Iterator, Mapping, Sequence

from caduceus.paper.claim_effects import ClaimEffect
from caduceus.paper.marks import Marks
from caduceus.paper.table_cells import Sample
from caduceus.paper.table_layout import Layout
from caduceus.project.paper import Claim
from caduceus.statistics.asymmetry import asymmetries

_WHY = "as the test takes them to be, so that it may err more often than p says"
_WHY_ALL = "as the tests take them to be, so that they may err more often than they should"


def claim_notes(
    claim: Claim, values: Sequence[Mapping[int, float]], effect: ClaimEffect
) -> Iterator[str]:
    """Yield a sentence if what a claim's test takes as symmetric doesn't look so.

    Args:
        claim: the claim.
        values: the metric by seed, of each variant.
        effect: computed from these.
    """
    if effect.value is None or effect.test.is_constant or claim.trend:
        return
    if claim.compare:
        if effect.unit != "pair":
            return
        first, second = values
        found = asymmetries([first[seed] - second[seed] for seed in effect.seeds[0]])
        what = "differences"
    else:
        found = asymmetries(list(values[0].values()), claim.test.metric.range)
        what = "values"
    if found:
        yield f"The {what} may not be symmetric ({'; '.join(found)}), {_WHY}."


def table_notes(
    layout: Layout, marks: Marks, samples: Mapping[str, Mapping[int, Sample]]
) -> Iterator[str]:
    """Yield a sentence on the cells whose differences to the best don't look symmetric."""
    best = dict(marks.places("best"))
    cells = []
    for (heading, row), comparison in marks.comparisons.items():
        if not comparison.is_paired or comparison.equal:
            continue
        one, other = (samples[heading][each].by_seed for each in (best[heading], row))
        found = asymmetries([one[seed] - other[seed] for seed in one if seed in other])
        if found:
            cells.append(f"{layout.rows[row].label} ({heading}: {', '.join(found)})")
    if cells:
        yield f"Differences to the best may not be symmetric, {_WHY_ALL}: {'; '.join(cells)}."
