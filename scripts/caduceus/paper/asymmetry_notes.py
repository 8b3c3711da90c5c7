"""Sentences on claims whose tests take values as symmetric where the data don't look so."""

from collections.abc import Iterator, Mapping, Sequence

from caduceus.paper.claim_effects import ClaimEffect
from caduceus.project.claims import Claim
from caduceus.statistics.asymmetry import SKEWED, asymmetries
from caduceus.statistics.settings import Methods

_WHY = "as the test takes them to be, so that it may err more often than p says"


def asymmetry_notes(
    claim: Claim,
    values: Sequence[Mapping[int, float]],
    effect: ClaimEffect,
    methods: Methods,
) -> Iterator[str]:
    """Yield a sentence if what a claim's test takes as symmetric doesn't look so.

    Args:
        claim: the claim.
        values: the metric by seed, of each variant.
        effect: computed from these.
        methods: the statistical methods.
    """
    if effect.value is None or effect.test.is_constant or claim.trend or claim.order:
        return
    if claim.compare or claim.ratio:
        if effect.unit != "pair":
            return
        first, second = values
        times = effect.value if claim.ratio else 1.0
        found = asymmetries([first[seed] - times * second[seed] for seed in effect.seeds[0]])
        what = "differences"
    else:
        found = asymmetries(list(values[0].values()), claim.test.metric.range)
        what = "values"
    if found:
        yield f"The {what} may not be symmetric ({'; '.join(found)}), {_WHY}."
    is_of_mean = what == "values" and not (claim.reproduces and claim.reproduces.published)
    if SKEWED in found and is_of_mean and methods.is_students_t and not claim.test.metric.range:
        yield (
            "The interval of a mean of skewed values is more often right by bootstrap-t: "
            "interval: bootstrap-t under paper.statistics."
        )
