"""`paper` as config.yaml says it, or the file it names; what a schema can't say of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.errors import SpecError
from caduceus.io.validation import Where, brief, suggestion, validate
from caduceus.io.yaml_files import Key, as_number, load
from caduceus.project.claim_checks import Refuse, check_claim
from caduceus.project.figure_checks import check_figure
from caduceus.project.paper_selections import (
    experiments_of,
    is_shown,
    is_side,
    planned_runs,
    shown_variants,
)
from caduceus.runs.files.plan import Plan

SECTIONS = ("tables", "figures", "claims")


def load_paper(
    value: Mapping[str, Any] | str, where: Where, root: Path
) -> tuple[dict[str, Any], Where]:
    """`paper` with every default filled in, and where its keys stand.

    Args:
        value: what config.yaml has: the mapping, the path of a file that holds it, or "none".
        where: finds a key of config.yaml.
        root: the folder that the path starts from.

    Raises:
        SpecError: the first thing in it that is wrong.
    """
    if value == "none":
        value = {}
    if not isinstance(value, str):
        return validate(value, "paper", where, ["paper"]), lambda keys: where(["paper", *keys])
    if not (root / value).is_file():
        raise SpecError(
            f"paper: {value} doesn't exist; give its path from the folder you work in",
            where(["paper"]),
        )
    source = load(root / value, value)
    return validate(as_number(source.value), "paper", source.where), source.where


def check_paper(
    paper: Mapping[str, Any],
    plans: Sequence[Plan],
    groups: Sequence[str],
    where: Where,
) -> None:
    """Refuse what no run can ever be shown for.

    Args:
        paper: every default filled in.
        plans: all experiments.
        groups: the W&B groups that config.yaml declares.
        where: finds a key of `paper`.

    Raises:
        SpecError: the first entry that names an experiment, group or variant that isn't there, a
            figure that lacks what its kind needs, a claim that nothing could decide, or an
            interval that the statistic hasn't.
    """
    statistic, interval = (paper["statistics"][name] for name in ("statistic", "interval"))
    if interval == "order" and statistic != "median":
        raise SpecError(
            f"paper.statistics.interval: 'order' is of the median, not of the {statistic}; "
            "write t, bca or bootstrap",
            where(["statistics", "interval"]),
        )
    experiments = [plan.spec.id for plan in plans]
    runs = [run for plan in plans for run in planned_runs(plan)]
    for section in SECTIONS:
        for name, entry in paper[section].items():
            at = [section, name]

            def refuse(message: str, keys: Sequence[Key], at: list[str] = at) -> SpecError:
                return SpecError(f"paper.{'.'.join(at)}{message}", where([*at, *keys]))

            _check_names(entry, "experiments", experiments, "the listed experiments", refuse)
            _check_names(entry, "groups", groups, "the groups of config.yaml", refuse)
            chosen = [run for run in runs if is_shown(run, entry)]
            for keys, side in shown_variants(entry).items():
                if not any(is_side(run, side) for run in chosen):
                    names = dict.fromkeys(f"{run.variant} of {run.experiment}" for run in runs)
                    raise refuse(
                        f": {brief(side)} means no variant; there are {'; '.join(names)}",
                        keys,
                    )
            if not chosen:
                raise refuse(": no run is of these experiments and groups; widen one", [])
            if section == "figures":
                check_figure(entry, chosen, {plan.spec.id: plan.spec for plan in plans}, refuse)
            if section == "claims":
                of_chosen = experiments_of(chosen)
                specs = [plan.spec for plan in plans if plan.spec.id in of_chosen]
                check_claim(entry, chosen, specs, refuse)


def _check_names(
    entry: Mapping[str, Any], key: str, known: Sequence[str], what: str, refuse: Refuse
) -> None:
    for index, wanted in enumerate(entry.get(key, ())):
        if wanted not in known:
            hint = suggestion(wanted, known)
            raise refuse(
                f".{key}: {wanted!r} isn't among {what}{hint}: {', '.join(known)}", [key, index]
            )
