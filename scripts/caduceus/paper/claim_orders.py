"""The effect of a claim that variants have an order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from caduceus.paper.claim_effects import ClaimEffect, Step, no_effect, of_comparison
from caduceus.runs.goal import Goal
from caduceus.statistics.comparisons import compare_by_seed, compared_seeds
from caduceus.statistics.settings import Methods
from caduceus.statistics.verdicts import Test, greater, less


def measure_order(
    values: Sequence[Mapping[int, float]], goal: Goal | None, methods: Methods
) -> ClaimEffect:
    """Test whether each variant is better than the next.

    Every step is tested, and the one with the largest p decides (the intersection-union test,
    Berger 1982). Against the order speaks a step in the other direction: the smallest p of these
    times their number.

    Args:
        values: the metric by seed, of each variant, the best first.
        goal: which values are better.
        methods: the statistical methods.
    """
    if not all(values):
        return no_effect(len(values))
    of = less if goal is Goal.MINIMIZE else greater
    compared = [
        compare_by_seed(
            better,
            worse,
            test=methods.test,
            confidence=methods.confidence,
            folds=methods.folds,
        )
        for better, worse in pairwise(values)
    ]
    tests = list(map(of, compared))
    weakest = max(range(len(tests)), key=lambda at: (tests[at].p_for, -abs(compared[at].effect)))
    used = [compared_seeds(*pair, methods.test) for pair in pairwise(values)]
    seeds: list[set[int]] = [set() for _ in values]
    for at, (one, other) in enumerate(used):
        seeds[at] |= set(one)
        seeds[at + 1] |= set(other)
    decisive = tests[weakest]
    test = Test(
        p_for=decisive.p_for,
        p_against=min(1.0, len(tests) * min(test.p_against for test in tests)),
        minimum_p=max(test.minimum_p for test in tests),
        n=min(test.n for test in tests),
        n_second=decisive.n_second,
        size=decisive.size,
        says_more=True,
        fewest=decisive.fewest,
        is_constant=all(test.is_constant for test in tests),
    )
    steps = tuple(Step(at, at + 1, each.effect) for at, each in enumerate(compared))
    kept = tuple(tuple(sorted(side)) for side in seeds)
    effect = of_comparison(compared[weakest], test, kept, methods)
    rule = "; each step is tested, and the largest p counts" if len(tests) > 1 else ""
    return replace(
        effect,
        method=f"{effect.method}{rule}",
        steps=steps,
        equal=effect.equal if test.is_constant else (),
    )
