"""Claims of the paper, decided together by the runs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import SpecError
from caduceus.io.files import read_json
from caduceus.paper.claim_effects import Finding, weigh_claim
from caduceus.paper.claim_reasons import claim_reason
from caduceus.paper.results import Variant, find_side, read_results
from caduceus.project.claim_checks import wrong_levels
from caduceus.project.paper_selections import (
    claim_kind,
    goal_of,
    metric_name,
    shown_metrics,
    shown_variants,
)
from caduceus.statistics.estimates import estimate_mean
from caduceus.statistics.verdicts import Verdict, decide


@dataclass(frozen=True)
class Evidence:
    """The variants that a claim is about, in the order of its sides or levels, and their values."""

    variants: tuple[Variant, ...]
    values: tuple[dict[int, float], ...]  # the metric by seed, of each variant
    finding: Finding


def decide_claims(
    plans: Sequence[Path],
    claims: Mapping[str, Mapping[str, Any]],
    statistics: Mapping[str, Any],
) -> dict[str, Any]:
    """The verdict on each claim, as results/paper/claims.json holds it.

    p is corrected for all claims together (Holm 1979).

    Args:
        plans: results/experiments/ID.json of the experiments that they are about.
        claims: `paper.claims`, every default filled in.
        statistics: `paper.statistics`.

    Raises:
        SpecError: no run has a claim's metric, or a side means no variant or several.
    """
    evidence = {
        name: _gather(plans, claim, statistics, f"paper.claims.{name}")
        for name, claim in claims.items()
    }
    alpha = statistics["alpha"]
    verdicts = decide([found.finding.test for found in evidence.values()], alpha)
    decided = [
        _entry(name, claims[name], found, verdict, len(claims))
        for (name, found), verdict in zip(evidence.items(), verdicts, strict=True)
    ]
    return {"alpha": alpha, "test": statistics["test"], "claims": decided}


def _gather(
    plans: Sequence[Path], claim: Mapping[str, Any], statistics: Mapping[str, Any], where: str
) -> Evidence:
    variants = read_results(plans, claim, where)
    kind = claim_kind(claim)
    [metric] = shown_metrics(claim).values()
    levels: list[float] = []
    if kind == "trend":
        parameter = claim[kind]["parameter"]
        named = {f"{found.name} of {found.experiment}": found.parameters for found in variants}
        if wrong := wrong_levels(parameter, named):
            raise SpecError(wrong, f"{where}.trend.parameter")
        variants.sort(key=lambda found: found.parameters[parameter])
        levels = [found.parameters[parameter] for found in variants]
    else:
        variants = [
            find_side(variants, side, f"{where}.{'.'.join(map(str, keys))}")
            for keys, side in shown_variants(claim).items()
        ]
    values = [variant.by_seed(metric) for variant in variants]
    goal = goal_of(metric, claim[kind], [read_json(plan)["spec"] for plan in plans])
    finding = weigh_claim(claim, values, goal, levels, statistics)
    return Evidence(tuple(variants), tuple(values), finding)


def _entry(
    name: str, claim: Mapping[str, Any], found: Evidence, verdict: Verdict, together: int
) -> dict[str, Any]:
    finding = found.finding
    [metric] = shown_metrics(claim).values()
    sides = [
        _side(variant, values) for variant, values in zip(found.variants, found.values, strict=True)
    ]
    return {
        "name": name,
        "statement": claim["statement"],
        "kind": claim_kind(claim),
        "verdict": verdict.outcome,
        "reason": claim_reason(claim, sides, finding, verdict, together),
        "metric": metric_name(metric),
        "n": finding.test.n,
        "effect": finding.effect,
        "low": finding.low,
        "high": finding.high,
        "p": verdict.p,
        "p_adjusted": verdict.adjusted_p,
        "minimum_p": verdict.minimum_p,
        "effect_size": finding.effect_size,
        "runs_that_would_do": verdict.runs_that_would_do,
        "method": finding.method,
        "sides": sides,
        "runs": [
            result.run
            for variant, seeds in zip(found.variants, finding.seeds, strict=True)
            for result in variant.results
            if result.seed in seeds
        ],
    }


def _side(variant: Variant, values: Mapping[int, float]) -> dict[str, Any]:
    """A variant, and what its runs have found; `n` of its `runs` have the metric."""
    known = estimate_mean(list(values.values())) if values else None
    return {
        "experiment": variant.experiment,
        "variant": variant.name,
        "runs": len(variant.results),
        "failed": variant.failed,
        "n": len(values),
        "mean": known and known.value,
        "std": known.std if known and math.isfinite(known.std) else None,
    }
