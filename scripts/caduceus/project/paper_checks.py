"""Checks of the paper that a schema can't express: that runs can ever be shown for its entries."""

from collections.abc import Sequence

from caduceus.errors import SpecError
from caduceus.io.phrases import count_of, pasted
from caduceus.io.validation import Where, brief, suggestion
from caduceus.io.yaml_files import Key
from caduceus.project.claim_checks import Refuse, check_claim
from caduceus.project.figure_checks import check_figure
from caduceus.project.paper import Claim, FigureEntry, Paper, TableEntry
from caduceus.project.paper_selections import (
    CandidateRun,
    candidate_runs,
    experiments_of,
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
    _check_folds(paper, where)
    specs = {plan.spec.id: plan.spec for plan in plans}
    runs = [run for plan in plans for run in candidate_runs(plan)]
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
                names = dict.fromkeys(f"{run.variant} of {run.experiment}" for run in runs)
                raise refuse(
                    f": {brief(side)} matches no variant; there are {'; '.join(names)}", keys
                )
        if not chosen:
            raise refuse(": no run is in both these experiments and groups; add one", [])
        if paper.statistics.folds is not None:
            _check_fold_seeds(paper.statistics.folds, chosen, where)
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


def _check_folds(paper: Paper, where: Where) -> None:
    """Refuse statistics and figures that have no correction for the folds of a cross-validation."""
    statistics = paper.statistics
    if statistics.folds is None:
        return
    defaults = (("statistic", "mean"), ("interval", "t"), ("test", "sign_flip"))
    for key, only in defaults:
        value = getattr(statistics, key)
        if value not in (only, None):
            raise SpecError(
                f"paper.statistics.{key}: {value!r} has no correction for `folds`; leave it out",
                where(["statistics", key]),
            )
    for name, figure in paper.figures.items():
        if figure.kind == "profiles":
            raise SpecError(
                f"paper.figures.{name}.kind: profiles have no correction for "
                "`paper.statistics.folds`; choose bars or differences",
                where(["figures", name, "kind"]),
            )
    for name, table in paper.tables.items():
        if table.spread == "items":
            raise SpecError(
                f"paper.tables.{name}.spread: folds have different test items; leave out `items`, "
                "or `paper.statistics.folds`",
                where(["tables", name, "spread"]),
            )
    for name, claim in paper.claims.items():
        if claim.by != "seed":
            raise SpecError(
                f"paper.claims.{name}.by: folds have different test items, so that a test by "
                f"{claim.by} has no correction for `paper.statistics.folds`; leave `by` out",
                where(["claims", name, "by"]),
            )


def _check_fold_seeds(folds: int, chosen: Sequence[CandidateRun], where: Where) -> None:
    """Refuse seeds that can't be the folds of whole cross-validations, by their number."""
    seeds: dict[tuple[str, str], set[int]] = {}
    for run in chosen:
        if run.parameters is not None:  # trials of a sweep have no seeds of the user's
            seeds.setdefault((run.experiment, run.variant), set()).add(run.seed)
    for (experiment, variant), found in seeds.items():
        if len(found) % folds:
            raise SpecError(
                f"paper.statistics.folds: {folds} folds take {folds} seeds, or a multiple where "
                f"the cross-validation is repeated, but {variant} of {experiment} has "
                f"{count_of(len(found), 'seed')}; correct its `seeds`, or `folds`",
                where(["statistics", "folds"]),
            )


def _check_names(
    names: Sequence[str], key: str, known: Sequence[str], what: str, refuse: Refuse
) -> None:
    for index, name in enumerate(names):
        if name not in known:
            hint = suggestion(name, known)
            raise refuse(
                f".{key}: {pasted(name)} isn't among {what}{hint}: {', '.join(known)}", [key, index]
            )
