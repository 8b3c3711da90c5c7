"""What the runs of a claim's variants say of it: effects and tests, of plain values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.io.wording import count_of
from caduceus.project.paper_selections import claim_kind
from caduceus.statistics.comparisons import Comparison, compare_by_seed, compare_to_value
from caduceus.statistics.equivalence_tests import equivalence
from caduceus.statistics.trends import Trend, trend
from caduceus.statistics.verdicts import Test, greater, less, within

_TESTS = {"sign_flip": "sign-flip test", "wilcoxon": "Wilcoxon signed-rank test"}


@dataclass(frozen=True)
class Finding:
    """What was found for a claim, before it is judged together with the others.

    Attributes:
        test: what speaks for the claim, and what against it.
        unit: what `test.n` counts: "pair", "run" or "seed".
        effect: the difference of means, better less worse; that from the value; of a trend, the
            mean over seeds of the rank correlation. None if there are no values for it.
        low: the lower end of its interval; None if it has none.
        high: its upper end.
        effect_size: the effect in standard deviations, of a trend the correlation; None where
            nothing varies.
        method: how all this was found, in words.
        seeds: those whose values count, of each variant.
    """

    test: Test
    unit: str
    effect: float | None
    low: float | None
    high: float | None
    effect_size: float | None
    method: str
    seeds: tuple[tuple[int, ...], ...]


def weigh_claim(
    claim: Mapping[str, Any],
    values: Sequence[Mapping[int, float]],
    goal: str | None,
    levels: Sequence[float],
    statistics: Mapping[str, Any],
) -> Finding:
    """What the values say of a claim.

    Args:
        claim: its entry in `paper.claims`, every default filled in.
        values: the metric by seed, of each variant: the better and the worse, the only one, or
            those of the levels.
        goal: of the metric that is compared, "maximize" or "minimize".
        levels: the values of a trend's parameter.
        statistics: `paper.statistics`.
    """
    kind = claim_kind(claim)
    if kind == "trend":
        return _test_trend(claim[kind], values, levels, statistics["confidence"])
    if not all(values):
        return _nothing(len(values))
    how = {"test": statistics["test"], "confidence": statistics["confidence"]}
    if kind == "compare":
        better, worse = values
        margin, speaks = claim[kind]["margin"], greater
        if goal == "minimize":
            margin, speaks = -margin, less
        compared = compare_by_seed(better, worse, margin, **how)
        common = tuple(sorted(better.keys() & worse.keys()))
        seeds = (common, common) if compared.is_paired else tuple(tuple(side) for side in values)
        return _found(compared, speaks(compared), seeds, how)
    [runs] = values
    if how["test"] == "permutation":  # of two sides, and a value isn't one
        how["test"] = "sign_flip"
    ordered, fixed = list(runs.values()), claim[kind]["value"]
    if kind == "at_least":
        compared = compare_to_value(ordered, fixed, **how)
        return _found(compared, greater(compared), (tuple(runs),), how)
    same = equivalence(ordered, fixed, claim[kind]["tolerance"], **how)
    return _found(
        same.comparison, within(same), (tuple(runs),), how, "two one-sided tests, each a "
    )


def _found(
    compared: Comparison,
    test: Test,
    seeds: tuple[tuple[int, ...], ...],
    how: Mapping[str, Any],
    before: str = "",
) -> Finding:
    interval = f"{100 * how['confidence']:g} % interval by"
    if compared.test == "permutation":
        why = "" if how["test"] == "permutation" else " since their seeds differ"
        method = (
            f"permutation test of Welch's t, {count_of(compared.n, 'run')} against "
            f"{compared.n_second}, not paired{why}; {interval} Welch's t"
        )
    else:
        over = count_of(compared.n, "pair" if compared.is_paired else "run")
        over += " by seed" if compared.is_paired else ""
        method = f"{before}{_TESTS[compared.test]} over {over}; {interval} Student's t"
    return Finding(
        test,
        "pair" if compared.is_paired else "run",
        compared.effect,
        _or_none(compared.low),
        _or_none(compared.high),
        _or_none(compared.effect_size),
        method,
        seeds,
    )


def _test_trend(
    about: Mapping[str, Any],
    values: Sequence[Mapping[int, float]],
    levels: Sequence[float],
    confidence: float,
) -> Finding:
    seeds = sorted({seed for of_level in values for seed in of_level})
    seeds = [seed for seed in seeds if sum(seed in of_level for of_level in values) > 1]
    if not seeds:
        return _nothing(len(values))
    table = [[of_level.get(seed, math.nan) for of_level in values] for seed in seeds]
    found: Trend = trend(table, levels, confidence)
    return Finding(
        greater(found) if about["direction"] == "rises" else less(found),
        "seed",
        found.correlation,
        _or_none(found.low),
        _or_none(found.high),
        found.correlation,
        f"sign-flip test of the rank correlations (Spearman's) of {count_of(found.n, 'seed')}; "
        f"{100 * confidence:g} % interval of their mean by Student's t",
        tuple(tuple(seed for seed in seeds if seed in of_level) for of_level in values),
    )


def _nothing(variants: int) -> Finding:
    """Of a claim without values: no data of so few runs could decide it."""
    test = Test(p_for=1.0, p_against=1.0, minimum_p=1.0, n=0)
    return Finding(test, "run", None, None, None, None, "no test", ((),) * variants)


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
