"""Checks of the paper that a schema can't express: that runs can ever be shown for its entries."""

from collections.abc import Sequence

from caduceus.errors import SpecError
from caduceus.io.phrases import pasted
from caduceus.io.validation import Where, brief, suggestion
from caduceus.io.yaml_files import Key
from caduceus.project.claim_checks import Refuse, check_claim
from caduceus.project.claims import Claim
from caduceus.project.figure_checks import check_figure
from caduceus.project.fold_checks import check_fold_seeds, check_folds
from caduceus.project.fold_units import as_fold
from caduceus.project.paper import FigureEntry, Paper, TableEntry
from caduceus.project.paper_selections import (
    candidate_runs,
    experiments_of,
    is_allowed,
    is_shown,
    is_side,
)
from caduceus.project.table_checks import check_table
from caduceus.runs.files.plan import Plan


def check_paper(paper: Paper, plans: Sequence[Plan], groups: Sequence[str], where: Where) -> None:
    """Refuse an entry that no run can ever be shown for.

    Args:
        paper: the paper.
        plans: all experiments.
        groups: the W&B groups that config.yaml declares.
        where: finds a key of `paper`.

    Raises:
        SpecError: the first entry that names an unknown experiment, group or variant, a figure or
            table that lacks what its kind or its tasks need, a claim that nothing could decide, an
            interval that the statistic hasn't, or seeds that can't be the declared folds.
    """
    statistic, interval = paper.statistics.statistic, paper.statistics.interval
    needed = {"order": "median", "bootstrap-t": "mean"}.get(interval or "", statistic)
    if statistic != needed:
        raise SpecError(
            f"paper.statistics.interval: '{interval}' needs the {needed}, not the {statistic}; "
            "write t, bca or bootstrap",
            where(["statistics", "interval"]),
        )
    specs = {plan.spec.id: plan.spec for plan in plans}
    planned = [run for plan in plans for run in candidate_runs(plan)]
    check_folds(paper, planned, where)
    runs = [as_fold(run, paper.statistics) for run in planned]
    for at, entry in paper.entries.items():

        def refuse(message: str, keys: Sequence[Key], at: Sequence[str] = at) -> SpecError:
            return SpecError(f"paper.{'.'.join(at)}{message}", where([*at, *keys]))

        _check_names(
            entry.experiments, "experiments", list(specs), "the listed experiments", refuse
        )
        _check_names(entry.groups, "groups", groups, "the groups of config.yaml", refuse)
        chosen = [run for run in runs if is_shown(run, entry)]
        for keys, side in entry.sides.items():
            if not any(is_side(run, side) for run in chosen):
                allowed = [run for run in runs if is_allowed(run, entry)] or runs
                names = dict.fromkeys(f"{run.variant} of {run.experiment}" for run in allowed)
                raise refuse(
                    f": {brief(side)} matches no variant; there are {'; '.join(names)}", keys
                )
        if not chosen:
            raise refuse(": no run is in both these experiments and groups; add one", [])
        ids = {run.run for run in chosen}
        check_fold_seeds(paper.statistics, [run for run in planned if run.run in ids], where)
        if isinstance(entry, FigureEntry):
            check_figure(entry, chosen, specs, refuse)
        shown = [specs[name] for name in experiments_of(chosen)]
        if isinstance(entry, TableEntry):
            statistic = paper.statistics.statistic
            if entry.spread in ("standard_error", "items") and statistic != "mean":
                what = "a standard error" if entry.spread != "items" else "an interval over items"
                raise refuse(
                    f".spread: {what} is that of the mean, not of the {statistic}; write interval "
                    "or std",
                    ["spread"],
                )
            check_table(entry, chosen, shown, refuse)
        if isinstance(entry, Claim):
            check_claim(entry, chosen, shown, refuse)


def _check_names(
    names: Sequence[str], key: str, known: Sequence[str], what: str, refuse: Refuse
) -> None:
    for index, name in enumerate(names):
        if name not in known:
            hint = suggestion(name, known)
            raise refuse(
                f".{key}: {pasted(name)} isn't among {what}{hint}: {', '.join(known)}", [key, index]
            )
