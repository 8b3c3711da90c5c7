"""Why a claim got its verdict, in plain words."""

from collections.abc import Mapping, Sequence
from typing import Any

from caduceus.io.wording import count_of
from caduceus.paper.claim_effects import Finding
from caduceus.paper.rounding import round_p, round_value
from caduceus.project.paper_selections import Metric, claim_kind, metric_name, shown_metrics
from caduceus.statistics.verdicts import Verdict

_UNITS = {"pair": "pairs of runs", "run": "runs", "seed": "seeds"}
_ONE = {"pair": "one pair of runs", "run": "one run", "seed": "one seed"}


def claim_reason(
    claim: Mapping[str, Any],
    sides: Sequence[Mapping[str, Any]],
    finding: Finding,
    verdict: Verdict,
    together: int,
) -> str:
    """What was found, what that decides and what was left out, in a sentence each.

    Args:
        claim: its entry in `paper.claims`, every default filled in.
        sides: its variants, as claims.json has them.
        finding: what their values say.
        verdict: what was decided.
        together: how many claims were tested together.
    """
    names = _names(sides)
    sentences = [_fact(claim, names, finding), _decision(finding, verdict, together)]
    [metric] = shown_metrics(claim).values()
    for name, side, seeds in zip(names, sides, finding.seeds, strict=True):
        alone = side["n"] - len(seeds)
        without = side["runs"] - side["failed"] - side["n"]
        lost = {
            "failed": side["failed"],
            f"without a finite {metric_name(metric)}": without,
            "whose seed the other lacks": alone if finding.effect is not None else 0,
        }
        counts = [f"{count} {why}" for why, count in lost.items() if count]
        if counts:
            sentences.append(
                f"Left out of {count_of(side['runs'], 'run')} of {name}: {', '.join(counts)}."
            )
    return " ".join(sentences)


def metric_words(metric: Metric) -> str:
    """A metric, and at which step it is taken."""
    name = metric_name(metric)
    if isinstance(metric, str) or not {"at", "best_by"} & set(metric):
        return name
    if "at" in metric:
        return f"{name} at step {metric['at']}"
    return f"{name} at the best {metric['best_by']['name']}"


def _names(sides: Sequence[Mapping[str, Any]]) -> list[str]:
    """What to call each side: its variant, with the experiment where there are several."""
    several = len({side["experiment"] for side in sides}) > 1
    return [
        f"{side['variant']} of {side['experiment']}" if several else side["variant"]
        for side in sides
    ]


def _fact(claim: Mapping[str, Any], names: Sequence[str], finding: Finding) -> str:
    kind = claim_kind(claim)
    about = claim[kind]
    metric = metric_words(about["metric"])
    if finding.effect is None:
        return f"Of {metric} there is too little to compare."
    if kind == "trend":
        way = "rises" if finding.effect > 0 else "falls"
        return (
            f"{metric} {way} with {about['parameter']}: over its {len(names)} values the mean rank "
            f"correlation is {round_value(finding.effect)}."
        )
    way = f"{round_value(abs(finding.effect))} {'above' if finding.effect > 0 else 'below'}"
    said = f"The mean {metric} of {names[0]} is {way if finding.effect else 'the same as'}"
    if kind == "compare":
        margin = f"; the margin is {round_value(about['margin'])}" if about["margin"] else ""
        return f"{said} that of {names[1]}{margin}."
    if kind == "at_least":
        return f"{said} {round_value(about['value'])}."
    tolerance = f"the tolerance is {round_value(about['tolerance'])}"
    return f"{said} {round_value(about['value'])} ({about['source']}); {tolerance}."


def _decision(finding: Finding, verdict: Verdict, together: int) -> str:
    corrected = f"p {round_p(verdict.adjusted_p)} after correction for {_claims(together)}"
    n, unit, more = finding.test.n, _UNITS[finding.unit], verdict.runs_that_would_do
    if finding.test.n_second is not None:
        unit = "runs of each"
    if verdict.outcome == "supported":
        return f"Chance alone hardly does that ({corrected})."
    if verdict.outcome == "refuted":
        return f"That is against the claim, and chance alone hardly does it ({corrected})."
    if verdict.outcome == "within noise":
        enough = f"; {more} {unit} would show such an effect four times of five" if more else ""
        return f"Chance alone could do that ({corrected}){enough}."
    enough = f"; {more} would do" if more else ""
    number = _ONE[finding.unit].capitalize() if n == 1 and unit != "runs of each" else f"{n} {unit}"
    return (
        f"{number} can't give a p below {round_p(verdict.minimum_p)}, and "
        f"{round_p(verdict.level)} is needed{enough}."
    )


def _claims(count: int) -> str:
    return f"{count} claims" if count > 1 else "one claim"
