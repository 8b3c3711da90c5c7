"""The reason for the verdict on a claim, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from caduceus.io.phrases import count_of, listed
from caduceus.paper.claim_effects import ClaimEffect, ItemTest, Step, items_of
from caduceus.paper.rounding import round_p, round_value
from caduceus.project.claims import Claim, Compare, Order, Ratio, Reproduces, Trend
from caduceus.statistics.comparisons import Equal
from caduceus.statistics.verdicts import Verdict

_UNITS = {
    "pair": "pairs of runs",
    "run": "runs",
    "seed": "seeds",
    "item": "test items",
    "cluster": "clusters of test items",
}
_SIDES: Mapping[Equal, int] = {"first": 0, "second": 1}
_ONE = {
    "pair": "one pair of runs",
    "run": "one run",
    "seed": "one seed",
    "item": "one test item",
    "cluster": "one cluster of test items",
}
# Of a claim by test items: what the verdict is about.
_ABOUT = {
    "item": "It is about other test items; runs are taken as they are, so that other seeds may "
    "give another verdict.",
    "seed and item": "It is about other seeds and other test items.",
}


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
    sentences = [_effect(claim, names, effect), _decision(claim, effect, verdict, claims, names)]
    if effect.items and verdict.outcome in ("supported", "refuted", "within noise", "undecided"):
        sentences.append(_ABOUT[claim.by])
    for name, side, seeds in zip(names, sides, effect.seeds, strict=True):
        unpaired = side["n"] - len(seeds)
        without = side["runs"] - side["failed"] - side["n"]
        left_out = {
            "failed": side["failed"],
            f"without a finite {claim.test.metric.words}": without,
            "whose seed the other lacks": unpaired if effect.value is not None else 0,
        }
        counts = [f"{count} {why}" for why, count in left_out.items() if count]
        if counts:
            sentences.append(
                f"Left out of {count_of(side['runs'], 'run')} of {name}: {', '.join(counts)}."
            )
    return " ".join(sentences)


def _names(sides: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name each side by its variant, and by its experiment if the sides have different ones."""
    several = len({side["experiment"] for side in sides}) > 1
    return [
        f"{side['variant']} of {side['experiment']}" if several else side["variant"]
        for side in sides
    ]


def _effect(claim: Claim, names: Sequence[str], effect: ClaimEffect) -> str:
    test = claim.test
    metric = test.metric.words
    if effect.value is None:
        return f"There are too few values of {metric} to compare."
    if isinstance(test, Trend):
        return _trend(test, metric, effect)
    if isinstance(test, Ratio):
        return _ratio(test, metric, names, effect)
    if isinstance(test, Order):
        return _order(metric, names, effect)
    offset = f"{round_value(abs(effect.value))} {'above' if effect.value > 0 else 'below'}"
    start = f"The mean {metric}"
    if effect.items:
        mean_of = metric if effect.items.is_metric else "score"
        start = f"Over {_tested(effect, effect.items)}, the mean {mean_of}"
    mean = f"{start} of {names[0]} is {offset if effect.value else 'the same as'}"
    if isinstance(test, Compare):
        margin = f"; the margin is {round_value(test.margin)}" if test.margin else ""
        return f"{mean} that of {names[1]}{margin}."
    if isinstance(test, Reproduces):
        tolerance = f"the tolerance is {round_value(test.tolerance)}"
        return f"{mean} {_published(test)}; {tolerance}."
    margin = ""
    if test.margin:
        side = "below" if claim.at_least else "above"
        margin = f"; it may be {round_value(test.margin)} {side}"
    return f"{mean} {round_value(test.value)}{margin}."


def _tested(effect: ClaimEffect, items: ItemTest) -> str:
    """Name the items, and the runs of each variant, whose scores are compared."""
    first, second = map(len, effect.seeds)
    runs = f"{count_of(first, 'run')} of each"
    if first != second:
        runs = f"{count_of(first, 'run')} against {second}"
    return f"{items_of(items.found)} and {runs}"


def _trend(test: Trend, metric: str, effect: ClaimEffect) -> str:
    """Say how the means go from level to level, and what the effect is."""
    assert effect.value is not None
    value, sign = round_value(effect.value), 1 if test.direction == "rises" else -1
    verb, other = ("rise", "fall") if sign > 0 else ("fall", "rise")
    against = [step for step in effect.steps if sign * step.difference <= 0]
    if test.kind == "slope":
        goes = "rises" if effect.value > 0 else "falls"
        line = f"On a straight line, {metric} {goes} by {value.lstrip('-')} per {test.parameter}"
        return f"{line}; its means don't {verb} throughout." if against else f"{line}."
    count = len(effect.steps)
    each = f"with {test.parameter} at {f'each of {count} steps' if count > 1 else 'its one step'}"
    if not against:
        way = f"{metric} {verb}s {each}"
    elif all(sign * step.difference < 0 for step in effect.steps):
        way = f"{metric} {other}s {each}"
    else:
        turns = ", ".join(_turn(step) for step in against)
        way = f"{metric} doesn't {verb} with {test.parameter} throughout: its mean {turns}"
    what = "step that supports this least" if test.kind == "steps" else "mean rank correlation"
    return f"{way}; the {what} is {value}."


def _ratio(test: Ratio, metric: str, names: Sequence[str], effect: ClaimEffect) -> str:
    """Say how many times the mean is the other, and what the claim allows."""
    assert effect.value is not None
    line = (
        f"The mean {metric} of {names[0]} is {round_value(effect.value)} times that of {names[1]}"
    )
    if test.value is not None and test.tolerance is not None:
        allowed = f"{round_value(test.value)} within {round_value(test.tolerance)}"
    elif test.at_least is not None:
        allowed = f"at least {round_value(test.at_least)}"
    else:
        assert test.at_most is not None  # checked with the claim
        allowed = f"at most {round_value(test.at_most)}"
    return f"{line}; claimed is {allowed}."


def _order(metric: str, names: Sequence[str], effect: ClaimEffect) -> str:
    """Say how the means go from variant to variant."""
    steps = [
        f"{_change(-step.difference)} from {names[int(step.start)]} to {names[int(step.end)]}"
        for step in effect.steps
    ]
    return f"The mean {metric} {listed(steps, len(steps))}."


def _turn(step: Step) -> str:
    """Say how the mean goes at a step."""
    return f"{_change(step.difference)} from {step.start:g} to {step.end:g}"


def _change(difference: float) -> str:
    """Say by how much a mean goes up or down."""
    if not difference:
        return "stays"
    return f"{'rises' if difference > 0 else 'falls'} by {round_value(abs(difference))}"


def _published(test: Reproduces) -> str:
    """Return the published value with its source, and whether it counts as exact."""
    if test.published is None:
        assert test.value is not None  # checked with the claim
        return f"{round_value(test.value)} ({test.source}; taken as exact)"
    runs = test.published.n and count_of(test.published.n, "run")
    return f"{round_value(test.published.value)} ({test.source}{f'; {runs}' if runs else ''})"


def _decision(
    claim: Claim, effect: ClaimEffect, verdict: Verdict, claims: int, names: Sequence[str]
) -> str:
    """Return the sentence on the verdict, with the p that decides it and the runs it needs."""
    p = f"p {round_p(verdict.adjusted_p)} after correction for {_claims(claims)}"
    n, unit, needed = effect.test.n, _UNITS[effect.unit], verdict.runs_that_would_do
    if effect.test.n_second is not None:
        unit = "runs of each"
    if verdict.outcome == "no verdict" and effect.items and not effect.equal:
        return (
            "All test items have the same difference, which shows nothing of chance: no verdict by "
            "test items."
        )
    if verdict.outcome == "no verdict":
        return f"{_equal(effect, names)}, which shows nothing of chance: no verdict by seeds."
    if verdict.outcome == "refuted" and claim.scale == "toy":
        return (
            f"At the toy scale of these runs, they speak against the claim ({p}); that doesn't "
            "refute it."
        )
    if verdict.outcome == "supported":
        supported = f"This supports the claim ({p})"
        if claim.reproduces and _excludes_zero(effect):
            return f"{supported}: there is a difference ({_interval(effect)}), but a tolerated one."
        return f"{supported}."
    if verdict.outcome == "refuted":
        return f"This refutes the claim ({p})."
    if verdict.outcome == "within noise":
        power = f"; {needed} {unit} would detect such an effect with 80 % power" if needed else ""
        return f"This is within noise ({p}){power}."
    if verdict.outcome == "undecided":
        if claim.trend:
            way = claim.trend.direction
            return f"The runs don't tell whether it {way} at each step ({p})."
        if claim.order:
            return f"The runs don't tell whether each is better than the next ({p})."
        if claim.ratio:
            return f"The runs don't tell whether the ratio is that ({p}): {_interval(effect)}."
        limit = "beyond the margin" if claim.compare else "within the margin"
        if claim.reproduces:
            limit = "within the tolerance"
        there_is = "; there is a difference" if _excludes_zero(effect) else ""
        power = f"; {needed} {unit} would tell with 80 % power if it is as found" if needed else ""
        data = "test items" if effect.items else "runs"
        return (
            f"The {data} don't tell whether the difference is {limit} ({p}): "
            f"{_interval(effect)}{there_is}{power}."
        )
    use = f"; use {needed}" if needed else ""
    number = _ONE[effect.unit] if n == 1 and unit != "runs of each" else f"{n} {unit}"
    return (
        f"With {number} p can't be below {round_p(verdict.minimum_p)}, and a verdict needs "
        f"{round_p(verdict.level)}{use}."
    )


def _excludes_zero(effect: ClaimEffect) -> bool:
    """Whether the interval shows that there is a difference, whatever its size."""
    return effect.low is not None and effect.high is not None and effect.low * effect.high > 0


def _interval(effect: ClaimEffect) -> str:
    if effect.low is None or effect.high is None:
        return "it has no interval"
    return f"its interval is {round_value(effect.low)} to {round_value(effect.high)}"


def _equal(effect: ClaimEffect, names: Sequence[str]) -> str:
    """Say what all seeds have in common."""
    sides = [names[side] for name, side in _SIDES.items() if name in effect.equal]
    if not sides:
        what = "difference" if effect.equal else "values"
        return f"All seeds gave the same {what}"
    return f"All seeds of {' and of '.join(sides)} gave the same value"


def _claims(count: int) -> str:
    return f"{count} claims" if count > 1 else "one claim"
