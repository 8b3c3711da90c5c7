"""The reason for the verdict on a claim, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from caduceus.io.phrases import count_of
from caduceus.paper.claim_effects import ClaimEffect
from caduceus.paper.rounding import round_p, round_value
from caduceus.project.paper import Claim, Compare, Reproduces, Trend
from caduceus.runs.metric import Metric
from caduceus.statistics.verdicts import Verdict

_UNITS = {"pair": "pairs of runs", "run": "runs", "seed": "seeds"}
_ONE = {"pair": "one pair of runs", "run": "one run", "seed": "one seed"}


def claim_reason(
    claim: Claim,
    sides: Sequence[Mapping[str, Any]],
    effect: ClaimEffect,
    verdict: Verdict,
    claims: int,
) -> str:
    """Return the effect, the decision and the runs that were left out, in a sentence each.

    Args:
        claim: the claim.
        sides: its variants, as claims.json has them.
        effect: computed from their values.
        verdict: the verdict on the claim.
        claims: how many claims were tested together.
    """
    names = _names(sides)
    sentences = [_effect(claim, names, effect), _decision(effect, verdict, claims)]
    for name, side, seeds in zip(names, sides, effect.seeds, strict=True):
        unpaired = side["n"] - len(seeds)
        without = side["runs"] - side["failed"] - side["n"]
        left_out = {
            "failed": side["failed"],
            f"without a finite {claim.test.metric.name}": without,
            "whose seed the other lacks": unpaired if effect.value is not None else 0,
        }
        counts = [f"{count} {why}" for why, count in left_out.items() if count]
        if counts:
            sentences.append(
                f"Left out of {count_of(side['runs'], 'run')} of {name}: {', '.join(counts)}."
            )
    return " ".join(sentences)


def metric_words(metric: Metric) -> str:
    """Return a metric's name and the step at which it is taken."""
    if metric.at is not None:
        return f"{metric.name} at step {metric.at}"
    if metric.best_by is not None:
        return f"{metric.name} at the best {metric.best_by.name}"
    return metric.name


def _names(sides: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name each side by its variant, and by its experiment if the sides have different ones."""
    several = len({side["experiment"] for side in sides}) > 1
    return [
        f"{side['variant']} of {side['experiment']}" if several else side["variant"]
        for side in sides
    ]


def _effect(claim: Claim, names: Sequence[str], effect: ClaimEffect) -> str:
    test = claim.test
    metric = metric_words(test.metric)
    if effect.value is None:
        return f"There are too few values of {metric} to compare."
    if isinstance(test, Trend):
        direction = "rises" if effect.value > 0 else "falls"
        return (
            f"{metric} {direction} with {test.parameter}: over its {len(names)} values the "
            f"mean rank correlation is {round_value(effect.value)}."
        )
    offset = f"{round_value(abs(effect.value))} {'above' if effect.value > 0 else 'below'}"
    mean = f"The mean {metric} of {names[0]} is {offset if effect.value else 'the same as'}"
    if isinstance(test, Compare):
        margin = f"; the margin is {round_value(test.margin)}" if test.margin else ""
        return f"{mean} that of {names[1]}{margin}."
    if isinstance(test, Reproduces):
        tolerance = f"the tolerance is {round_value(test.tolerance)}"
        return f"{mean} {round_value(test.value)} ({test.source}); {tolerance}."
    return f"{mean} {round_value(test.value)}."


def _decision(effect: ClaimEffect, verdict: Verdict, claims: int) -> str:
    """Return the sentence on the verdict, with the p that decides it and the runs it needs."""
    p = f"p {round_p(verdict.adjusted_p)} after correction for {_claims(claims)}"
    n, unit, needed = effect.test.n, _UNITS[effect.unit], verdict.runs_that_would_do
    if effect.test.n_second is not None:
        unit = "runs of each"
    if verdict.outcome == "supported":
        return f"This supports the claim ({p})."
    if verdict.outcome == "refuted":
        return f"This refutes the claim ({p})."
    if verdict.outcome == "within noise":
        power = f"; {needed} {unit} would detect such an effect with 80 % power" if needed else ""
        return f"This is within noise ({p}){power}."
    use = f"; use {needed}" if needed else ""
    number = _ONE[effect.unit] if n == 1 and unit != "runs of each" else f"{n} {unit}"
    return (
        f"With {number} p can't be below {round_p(verdict.minimum_p)}, and a verdict needs "
        f"{round_p(verdict.level)}{use}."
    )


def _claims(count: int) -> str:
    return f"{count} claims" if count > 1 else "one claim"
