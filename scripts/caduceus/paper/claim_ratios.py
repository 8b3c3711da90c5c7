"""The effect of a claim about the ratio of two variants' means."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from caduceus.paper.claim_effects import ClaimEffect, no_effect, of_comparison, or_none
from caduceus.project.claims import Ratio
from caduceus.statistics.comparisons import compared_seeds
from caduceus.statistics.ratio_tests import compare_ratio, ratio_equivalence
from caduceus.statistics.ratios import relative_change
from caduceus.statistics.settings import Methods
from caduceus.statistics.verdicts import greater, less, within


def measure_ratio(
    claim: Ratio, values: Sequence[Mapping[int, float]], methods: Methods
) -> ClaimEffect:
    """Compute the ratio of two means with its interval (Fieller 1954), and its test.

    Args:
        claim: the claim.
        values: the metric by seed, of the variant whose ratio it is and of the other.
        methods: the statistical methods.

    Raises:
        ResultError: a value of the other isn't above 0.
    """
    if not all(values):
        return no_effect(len(values))
    first, second = values
    prefix, confidence = "", methods.confidence
    if claim.value is not None and claim.tolerance is not None:
        # The interval that decides this has twice the chance of an error (Schuirmann 1987).
        prefix, confidence = "two one-sided tests, each a ", 2 * confidence - 1
        same = ratio_equivalence(
            first, second, claim.value, claim.tolerance, test=methods.test, folds=methods.folds
        )
        compared, test = same.comparison, within(same)
    else:
        claimed, of = (claim.at_least, greater) if claim.at_least else (claim.at_most, less)
        assert claimed is not None  # checked with the claim
        compared = compare_ratio(first, second, claimed, test=methods.test, folds=methods.folds)
        test = replace(of(compared), says_more=True)
    one, other = compared_seeds(first, second, methods.test)
    found = relative_change(
        [first[seed] for seed in one],
        [second[seed] for seed in other],
        compared.is_paired,
        confidence,
        methods.folds,
    )
    methods = replace(methods, confidence=confidence)
    seeds = (tuple(one), tuple(other))
    effect = of_comparison(compared, test, seeds, methods, prefix)
    name, by, _ = effect.method.rpartition(" interval by ")
    return replace(
        effect,
        value=1 + found.value / 100,
        low=or_none(1 + found.low / 100),
        high=or_none(1 + found.high / 100),
        method=f"{name}{by}Fieller's method",
    )
