"""Checks of a claim that a schema can't express: that its runs could decide it."""

from collections.abc import Callable, Mapping, Sequence

from caduceus.errors import SpecError
from caduceus.io.files import Json
from caduceus.io.phrases import pasted
from caduceus.io.validation import brief, dotted, suggestion
from caduceus.io.yaml_files import Key
from caduceus.project.claims import Claim, Ratio, Reproduces
from caduceus.project.paper_selections import CandidateRun, goal_of, is_side
from caduceus.runs.files.plan import Spec
from caduceus.runs.goal import Goal

Refuse = Callable[[str, Sequence[Key]], SpecError]  # what is wrong at these keys of an entry


def check_claim(
    claim: Claim,
    chosen: Sequence[CandidateRun],
    specs: Sequence[Spec],
    refuse: Refuse,
) -> None:
    """Refuse a claim whose side matches several variants, a trend without levels, or the like.

    Trials whose parameters a sweep hasn't chosen yet can only be checked once they have run.

    Args:
        claim: the claim.
        chosen: the runs that it is about.
        specs: the experiments of these runs.
        refuse: makes the error.

    Raises:
        SpecError: the first thing that is wrong.
    """
    if by_items := _items_fault(claim, specs):
        key, message = by_items
        raise refuse(f".{key}: {message}", [key] if getattr(claim, key) is not None else [])
    known = [run for run in chosen if run.parameters is not None]
    if claim.trend:
        parameters = {f"{run.variant} of {run.experiment}": run.parameters or {} for run in known}
        wrong = wrong_levels(claim.trend.parameter, parameters)
        if wrong and len(known) == len(chosen):
            raise refuse(f".trend.parameter: {wrong}", ["trend", "parameter"])
        return
    meant: list[str] = []
    for keys, side in claim.sides.items():
        found = [f"{run.variant} of {run.experiment}" for run in known if is_side(run, side)]
        variants = list(dict.fromkeys(found))
        if len(variants) > 1:
            raise refuse(
                f".{dotted(keys)}: {brief(side)} matches several variants: "
                f"{'; '.join(variants)}; name more parameters, or the `experiment`",
                keys,
            )
        meant += variants
    if repeated := next((each for each in meant if meant.count(each) > 1), None):
        raise refuse(f".{claim.kind}: two sides are {repeated}; name another", [claim.kind])
    if claim.reproduces and (fault := _published_fault(claim.reproduces)):
        raise refuse(f".reproduces{fault}", ["reproduces"])
    if claim.ratio and (fault := _ratio_fault(claim.ratio)):
        raise refuse(f".ratio{fault}", ["ratio"])
    if (claim.compare or claim.order) and not goal_of(claim.test.metric, claim.goal, specs):
        message = f".{claim.kind}: missing key 'goal': add it, maximize or minimize"
        raise refuse(message, [claim.kind])


def _items_fault(claim: Claim, specs: Sequence[Spec]) -> tuple[str, str] | None:
    """Return the key that is wrong in a claim by test items, and why; None if nothing is."""
    if claim.by == "seed":
        if claim.items is None:
            return None
        return "items", "a claim by seed reads no items; add `by: item` or `by: seed and item`"
    if claim.compare is None:
        return "by", f"{claim.by} compares two variants; write `compare`, or leave `by` out"
    if claim.items is None:
        return "by", (
            f"{claim.by} needs the key `items`, the file of scores, such as "
            "`items: {file: predictions.csv}`"
        )
    goal = goal_of(claim.compare.metric, claim.compare.goal, specs)
    if goal is Goal.MINIMIZE and claim.items.score is None:
        return "items", (
            f"{pasted(claim.compare.metric.name)} is minimized, and without `score` an item's "
            "score is 1 where the prediction is right; name the column of the metric by `score`"
        )
    if claim.items.filter is not None and claim.items.file.endswith((".csv", ".eval")):
        return "items", "only lines of lm-eval have a `filter`; leave it out"
    return None


def _published_fault(claim: Reproduces) -> str:
    """Return what is wrong with the published value of a claim; empty if nothing is."""
    published = claim.published
    if (claim.value is None) == (published is None):
        return ": write one of `value`, which is taken as exact, and `published`"
    if published is None:
        return ""
    if published.interval is not None:
        low, high = published.interval
        if published.std is not None:
            return ".published: `std` and `interval` say the same; leave one of them out"
        if not low <= published.value <= high or low == high:
            return f".published.interval: {low:g} to {high:g} must enclose {published.value:g}"
    elif published.n is None:
        return ".published: add `n`, the number of runs, or `interval`; a mean alone is a `value`"
    elif published.n == 1 and published.std is not None:
        return ".published.std: one run has no standard deviation; leave it out"
    return ""


def _ratio_fault(claim: Ratio) -> str:
    """Return what is wrong with the number that a ratio is claimed to be; empty if nothing is."""
    given = [name for name in ("at_least", "at_most", "value") if getattr(claim, name) is not None]
    if len(given) != 1:
        return f": write one of `at_least`, `at_most` and `value`, not {len(given)} of them"
    if (claim.value is None) != (claim.tolerance is None):
        return ": `value` and `tolerance` belong together; write both or `at_least` or `at_most`"
    return ""


def wrong_levels(parameter: str, variants: Mapping[str, Mapping[str, Json]]) -> str:
    """Return why variants have no trend; empty if they have one.

    A trend takes one variant for each value of the parameter, a number, and at least two of them.

    Args:
        parameter: the parameter.
        variants: the parameters of each variant, by its label.
    """
    by_level: dict[float, str] = {}
    for variant, parameters in variants.items():
        if parameter not in parameters:
            hint = suggestion(parameter, parameters)
            return f"{variant} has no {pasted(parameter)}{hint}; it has {', '.join(parameters)}"
        level = parameters[parameter]
        if isinstance(level, bool) or not isinstance(level, int | float):
            return f"{parameter} of {variant} is {brief(level)}; a trend needs numbers"
        if level in by_level:
            return (
                f"{parameter} is {level} of several variants: {by_level[level]}; {variant}; name "
                "those that are meant under `variants`, or the experiment under `experiments`"
            )
        by_level[level] = variant
    if len(by_level) < 2:
        return f"{parameter} has one value only; a trend needs at least two"
    return ""
