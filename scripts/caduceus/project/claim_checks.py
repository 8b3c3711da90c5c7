"""What a schema can't say of a claim: that its runs could decide it, before any has run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from caduceus.errors import SpecError
from caduceus.io.validation import brief, dotted, suggestion
from caduceus.io.yaml_files import Key
from caduceus.project.paper_selections import (
    PlannedRun,
    claim_kind,
    goal_of,
    is_side,
    shown_variants,
)
from caduceus.runs.files.plan import Spec

Refuse = Callable[[str, Sequence[Key]], SpecError]  # what is wrong at these keys of an entry


def check_claim(
    claim: Mapping[str, Any],
    chosen: Sequence[PlannedRun],
    specs: Sequence[Spec],
    refuse: Refuse,
) -> None:
    """Refuse a claim that isn't about one variant, or about two, or a trend without levels.

    Trials that a sweep hasn't chosen yet are passed over; of them it shows when they have run.

    Args:
        claim: its entry in `paper.claims`, every default filled in.
        chosen: the runs that it shows.
        specs: the experiments of these runs.
        refuse: makes the error.

    Raises:
        SpecError: the first thing that is wrong.
    """
    known = [run for run in chosen if run.parameters is not None]
    if "trend" in claim:
        parameters = {f"{run.variant} of {run.experiment}": run.parameters or {} for run in known}
        wrong = wrong_levels(claim["trend"]["parameter"], parameters)
        if wrong and len(known) == len(chosen):
            raise refuse(f".trend.parameter: {wrong}", ["trend", "parameter"])
        return
    kind = claim_kind(claim)
    meant: list[str] = []
    for keys, side in shown_variants(claim).items():
        found = [f"{run.variant} of {run.experiment}" for run in known if is_side(run, side)]
        variants = list(dict.fromkeys(found))
        if len(variants) > 1:
            raise refuse(
                f".{dotted(keys)}: {brief(side)} means several variants: "
                f"{'; '.join(variants)}; name more parameters, or the `experiment`",
                keys,
            )
        meant += variants
    if len(set(meant)) < len(meant):
        raise refuse(f".{kind}: better and worse are both {meant[0]}; name another", [kind])
    if kind == "compare" and not goal_of(claim[kind]["metric"], claim[kind], specs):
        raise refuse(f".{kind}: missing key 'goal': add it, maximize or minimize", [kind])


def wrong_levels(parameter: str, variants: Mapping[str, Mapping[str, Any]]) -> str:
    """Why variants, their parameters by what they are called, have no trend; empty if they have.

    A trend takes one variant for each value of the parameter, a number, and at least two of them.
    """
    by_level: dict[float, str] = {}
    for variant, parameters in variants.items():
        if parameter not in parameters:
            hint = suggestion(parameter, parameters)
            return f"{variant} has no {parameter!r}{hint}; it has {', '.join(parameters)}"
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
