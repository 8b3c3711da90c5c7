"""What an artifact's reviewer needs to know of each claim: runs, cost, command, tolerance."""

from collections.abc import Mapping, Sequence
from typing import Any

from caduceus.io.amounts import duration
from caduceus.io.phrases import count_of
from caduceus.paper.appendix.blocks import Block, Code, Items, Text
from caduceus.paper.rounding import round_value
from caduceus.project.claims import Claim, Ratio

UNTESTED = ("not enough runs", "not enough items", "no verdict", "failed")


def claim_blocks(
    decided: Mapping[str, Any], claim: Claim, seconds: Mapping[str, float], command: str
) -> list[Block]:
    """Describe a claim.

    Args:
        decided: its entry in claims.json.
        claim: its entry in `paper.claims`.
        seconds: what each run took.
        command: decides it again.
    """
    runs = decided["runs"]
    known = [seconds[run] for run in runs if run in seconds]
    cost = f"{count_of(len(runs), 'run')}, {duration(sum(known))} one after the other"
    if len(known) < len(runs):
        cost += f"; the time of {len(runs) - len(known)} isn't known"
    rows = [
        ("Statement", " ".join(decided["statement"].split())),
        ("Verdict", f"{decided['verdict']} (n {decided['n']}{_scale(decided)})"),
        ("Measured", _measured(decided)),
        ("Holds", tolerance(claim, decided)),
        ("Costs", cost),
    ]
    return [Items(rows), Code([command])]


def _scale(decided: Mapping[str, Any]) -> str:
    return ", runs of a toy scale" if decided.get("scale") == "toy" else ""


def _measured(decided: Mapping[str, Any]) -> str:
    if decided["effect"] is None:
        return "nothing; " + " ".join(decided["reason"].split())
    text = f"{decided['metric']}: {round_value(decided['effect'])}"
    if decided["low"] is not None and decided["high"] is not None:
        text += f", interval {round_value(decided['low'])} to {round_value(decided['high'])}"
    return text


def tolerance(claim: Claim, decided: Mapping[str, Any]) -> str:
    """Say what a measurement must be for a claim to hold, and how much it may change."""
    needed = _needed(claim)
    effect, low, high = (decided[name] for name in ("effect", "low", "high"))
    if effect is None or decided["verdict"] in UNTESTED:
        return f"{needed}; the runs don't decide it"
    text = f"{needed}, by p below the level, corrected for all claims"
    if decided["verdict"] == "supported" and (slack := _slack(claim, effect)) is not None:
        text += f"; the measured value may be worse by {round_value(slack)} before it isn't"
    if low is not None and high is not None:
        half = round_value((high - low) / 2)
        text += f"; a repetition's mean differs by about {half} from ours by chance alone"
    return text


def _slack(claim: Claim, effect: float) -> float | None:
    """Return by how much an effect may change before the sentence is false of the mean itself."""
    if claim.compare:
        return effect - claim.compare.margin
    if claim.reproduces:
        return claim.reproduces.tolerance - abs(effect)
    bound = claim.at_least or claim.at_most
    return abs(effect) + bound.margin if bound else None


def _needed(claim: Claim) -> str:
    if claim.compare:
        return f"if the difference, in favour of the better, is above {claim.compare.margin:g}"
    if claim.reproduces:
        said = claim.reproduces
        value = said.value if said.value is not None else said.published and said.published.value
        return f"if the mean is within {said.tolerance:g} of {value:g} ({said.source})"
    for bound, sign in ((claim.at_least, "at least"), (claim.at_most, "at most")):
        if bound:
            margin = f", or misses it by less than {bound.margin:g}" if bound.margin else ""
            return f"if the mean is {sign} {bound.value:g}{margin}"
    if claim.trend:
        return f"if the metric {claim.trend.direction} with {claim.trend.parameter}"
    if claim.ratio:
        return f"if the ratio is {_ratio(claim.ratio)}"
    if claim.order:
        return "if each variant is better than the next"
    return f"by its test of kind {claim.kind}"


def _ratio(said: Ratio) -> str:
    """Say what a ratio must be."""
    if said.at_least is not None:
        return f"at least {said.at_least:g}"
    if said.at_most is not None:
        return f"at most {said.at_most:g}"
    return f"within {said.tolerance:g} of {said.value:g}"


def other_claims(names: Sequence[str], costs: Mapping[str, float]) -> list[Block]:
    """Say which claims aren't in the subset, and what they cost."""
    if not names:
        return []
    listed = ", ".join(
        f"{name} ({duration(costs[name])})" if name in costs else f"{name} (not known)"
        for name in names
    )
    return [
        Text(
            "Not in it, since their runs need more time, took a time that isn't known, or don't "
            f"decide them: {listed}."
        )
    ]
