"""Decide the claims of the paper from the exported runs, all in one family of tests."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from caduceus.errors import SpecError
from caduceus.paper.asymmetry_notes import asymmetry_notes
from caduceus.paper.claim_effects import ClaimEffect, measure_effect
from caduceus.paper.claim_items import measure_items
from caduceus.paper.claim_orders import measure_order
from caduceus.paper.claim_ratios import measure_ratio
from caduceus.paper.claim_reasons import claim_reason
from caduceus.paper.exported_runs import ExportedRuns, allowed_variants, read_results
from caduceus.paper.ran_differently import difference_sentences
from caduceus.paper.range_notes import range_notes
from caduceus.paper.results import Variant, find_side, with_axis
from caduceus.paper.selection_notes import selection_notes
from caduceus.project.claim_checks import wrong_levels
from caduceus.project.claims import Claim
from caduceus.project.paper_selections import goal_of
from caduceus.runs.equal_seeds import equal_notes
from caduceus.statistics.estimates import estimate_mean
from caduceus.statistics.settings import Methods
from caduceus.statistics.verdicts import Test, Verdict, decide

FAILED = "failed"  # the verdict on a claim that can't be decided
_NUMBERS = (
    *("effect", "low", "high", "p", "p_adjusted", "minimum_p"),
    *("effect_size", "runs_that_would_do"),
)


@dataclass(frozen=True)
class _MeasuredClaim:
    """The variants that a claim names, their values and the effect computed from these."""

    claim: Claim  # with the axis of its metric
    variants: tuple[Variant, ...]  # in the order of the claim's sides or of a trend's levels
    values: tuple[dict[int, float], ...]  # the metric by seed, of each variant
    effect: ClaimEffect


# A claim that can't be decided counts in the family as one for which nothing speaks, so that no
# other claim has a smaller p because of it.
_UNDECIDED = Test(p_for=1.0, p_against=1.0, minimum_p=1.0, n=0)


def _raised(name: str, error: Exception) -> str:
    raise error


def decide_claims(
    plans: Sequence[Path],
    claims: Mapping[str, Claim],
    methods: Methods,
    describe: Callable[[str, Exception], str] = _raised,
) -> dict[str, Any]:
    """Return the content of results/paper/claims.json: the verdict on each claim.

    p values are corrected for all claims together (Holm 1979). A claim that can't be measured, such
    as one whose metric no run has, or whose side matches several variants, has the verdict
    `FAILED`.

    Args:
        plans: results/experiments/ID.json of the experiments that the claims name.
        claims: by name.
        methods: the statistical methods.
        describe: returns the line for the error of a claim, given its name; by default the error
            is raised.
    """
    measured: dict[str, _MeasuredClaim] = {}
    failed: dict[str, str] = {}
    runs = ExportedRuns(plans, methods)
    for name, claim in claims.items():
        try:
            measured[name] = _measure(runs, claim, methods, f"paper.claims.{name}")
        except Exception as error:
            failed[name] = describe(name, error)
    tests = [measured[name].effect.test if name in measured else _UNDECIDED for name in claims]
    verdicts = dict(zip(claims, decide(tests, methods.alpha), strict=True))
    decided = [
        _entry(name, measured[name], verdicts[name], len(claims), methods)
        if name in measured
        else failed_claim(name, claim, failed[name])
        for name, claim in claims.items()
    ]
    return {
        "alpha": methods.alpha,
        "test": methods.used_test,
        "statistic": methods.statistic,
        "claims": decided,
    }


def failed_claim(name: str, claim: Claim, error: str) -> dict[str, Any]:
    """Return the entry in claims.json of a claim that can't be decided."""
    return {
        "name": name,
        "statement": claim.statement,
        "kind": claim.kind,
        "by": claim.by,
        "scale": claim.scale,
        "verdict": FAILED,
        "reason": error,
        "metric": claim.test.metric.name,
        "n": 0,
        **dict.fromkeys(_NUMBERS),
        "method": "",
        "sides": [],
        "runs": [],
    }


def _measure(runs: ExportedRuns, claim: Claim, methods: Methods, where: str) -> _MeasuredClaim:
    variants = read_results(runs, claim, where)
    metric = claim.test.metric
    levels: list[float] = []
    if claim.trend:
        parameter = claim.trend.parameter
        named = {f"{each.name} of {each.experiment}": each.parameters for each in variants}
        if wrong := wrong_levels(parameter, named):
            raise SpecError(wrong, f"{where}.trend.parameter")
        variants.sort(key=lambda variant: variant.parameters[parameter])
        levels = [variant.parameters[parameter] for variant in variants]
    else:
        variants = [
            find_side(
                variants,
                side,
                f"{where}.{'.'.join(map(str, keys))}",
                lambda: allowed_variants(runs, claim),
            )
            for keys, side in claim.sides.items()
        ]
    values = [variant.by_seed(metric) for variant in variants]
    goal = goal_of(metric, claim.goal, [plan.spec for plan in runs.plans])
    if claim.ratio:
        effect = measure_ratio(claim.ratio, values, methods)
    elif claim.order:
        effect = measure_order(values, goal, methods)
    elif claim.by == "seed" or not all(values):
        effect = measure_effect(claim, values, goal, levels, methods)
    else:
        effect = measure_items(claim, variants, values, goal, methods)
    # An item's scores may differ though runs don't.
    if not claim.trend and not claim.order and claim.by != "item":
        effect = effect.of_deterministic([variant.is_deterministic for variant in variants])
    return _MeasuredClaim(_with_axis(claim, variants), tuple(variants), tuple(values), effect)


def _with_axis(claim: Claim, variants: Sequence[Variant]) -> Claim:
    """Return a claim whose metric, if it is taken at a place, names the axis."""
    results = [each for variant in variants for each in variant.results]
    finished = [result for result in results if result.state == "finished"]
    metric = with_axis(claim.test.metric, finished)
    changed: dict[str, Any] = {claim.kind: replace(claim.test, metric=metric)}
    return replace(claim, **changed)


def _entry(
    name: str, measured: _MeasuredClaim, verdict: Verdict, claims: int, methods: Methods
) -> dict[str, Any]:
    """Return the claim's entry in claims.json."""
    claim, effect = measured.claim, measured.effect
    outcome: str = verdict.outcome
    if outcome == "refuted" and claim.scale == "toy":
        outcome = "undecided"  # small runs don't show what large ones do
    if outcome == "not enough runs" and effect.unit in ("item", "cluster"):
        outcome = "not enough items"
    sides = [
        _side(variant, values)
        for variant, values in zip(measured.variants, measured.values, strict=True)
    ]
    equal = equal_notes([each for side in measured.variants for each in side.equal_seeds])
    reason = [
        claim_reason(claim, sides, effect, verdict, claims),
        *(
            effect.items.notes
            if effect.items
            else asymmetry_notes(claim, measured.values, effect, methods)
        ),
        *difference_sentences(measured.variants),
        *equal,
        *range_notes(claim.metrics, measured.variants),
        *selection_notes(claim.metrics, measured.variants),
    ]
    return {
        "name": name,
        "statement": claim.statement,
        "kind": claim.kind,
        "by": claim.by,
        "scale": claim.scale,
        "verdict": outcome,
        "reason": " ".join(reason),
        "metric": claim.test.metric.name,
        "n": effect.test.n,
        **_items(effect),
        "effect": effect.value,
        "low": effect.low,
        "high": effect.high,
        "p": verdict.p,
        "p_adjusted": verdict.adjusted_p,
        "minimum_p": verdict.minimum_p,
        "effect_size": effect.size,
        "runs_that_would_do": verdict.runs_that_would_do,
        "method": effect.method,
        **({"notes": equal} if equal else {}),
        "sides": sides,
        "runs": [
            result.run
            for variant, seeds in zip(measured.variants, effect.seeds, strict=True)
            for result in variant.results
            if result.seed in seeds
        ],
    }


def _items(effect: ClaimEffect) -> dict[str, Any]:
    """Return the keys of a claim that was tested by test items."""
    if effect.items is None:
        return {}
    found = effect.items.found
    return {"items": found.n, "clusters": found.clusters, "seeds": list(found.seeds)}


def _side(variant: Variant, values: Mapping[int, float]) -> dict[str, Any]:
    """Return a variant's entry in claims.json; `n` of its `runs` have the metric."""
    estimate = estimate_mean(list(values.values())) if values else None
    equal = [each.seeds for each in variant.equal_seeds if each.counts_once]
    return {
        "experiment": variant.experiment,
        "variant": variant.name,
        "runs": len(variant.results),
        "failed": variant.failed,
        "n": len(values),
        "mean": estimate and estimate.value,
        "std": estimate.std if estimate and math.isfinite(estimate.std) else None,
    } | ({"equal_seeds": equal} if equal else {})
