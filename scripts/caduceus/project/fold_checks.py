"""Checks that the folds of a cross-validation are what `paper.statistics` says."""

from collections.abc import Sequence

from caduceus.errors import SpecError
from caduceus.io.files import Json
from caduceus.io.phrases import count_of, pasted
from caduceus.io.validation import Where, brief, suggestion
from caduceus.project.fold_units import fold_unit
from caduceus.project.paper import Paper
from caduceus.project.paper_selections import CandidateRun
from caduceus.statistics.settings import Methods


def check_folds(paper: Paper, planned: Sequence[CandidateRun], where: Where) -> None:
    """Refuse what has no correction for the folds of a cross-validation, and an unknown parameter.

    Args:
        paper: the paper.
        planned: all runs.
        where: finds a key of `paper`.

    Raises:
        SpecError: the first key that is wrong.
    """
    statistics, parameter = paper.statistics, paper.statistics.fold_parameter
    if statistics.folds is None:
        if parameter is not None:
            raise SpecError(
                "paper.statistics.fold_parameter: needs `folds`, the number of folds; add it",
                where(["statistics", "fold_parameter"]),
            )
        return
    known = list(dict.fromkeys(name for run in planned for name in run.parameters or ()))
    if parameter is not None and parameter not in known:
        raise SpecError(
            f"paper.statistics.fold_parameter: no run has the parameter {pasted(parameter)}"
            f"{suggestion(parameter, known)}; there are {', '.join(known) or 'none'}",
            where(["statistics", "fold_parameter"]),
        )
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


def check_fold_seeds(methods: Methods, chosen: Sequence[CandidateRun], where: Where) -> None:
    """Refuse runs that can't be the folds of whole cross-validations.

    Args:
        methods: the key `statistics` of the paper.
        chosen: the runs that an entry shows.
        where: finds a key of `paper`.

    Raises:
        SpecError: the first variant that lacks folds, or has other values for them.
    """
    folds, parameter = methods.folds, methods.fold_parameter
    if folds is None:
        return
    seeds: dict[tuple[str, str], set[int]] = {}
    values: dict[tuple[str, str, int], list[Json]] = {}
    for run in chosen:
        if run.parameters is None:  # trials of a sweep have no seeds of the user's
            continue
        if parameter is None or parameter not in run.parameters:
            seeds.setdefault((run.experiment, run.variant), set()).add(run.seed)
            continue
        unit = fold_unit(run.variant, run.seed, run.parameters, methods)
        name = unit.variant if unit else run.variant
        values.setdefault((run.experiment, name, run.seed), []).append(run.parameters[parameter])
    for (experiment, variant, seed), those in values.items():
        if not any(_are(those, range(first, first + folds)) for first in (0, 1)):
            raise SpecError(
                f"paper.statistics.fold_parameter: {parameter} needs the values 0 to {folds - 1}, "
                f"or 1 to {folds}, but seed {seed} of {variant} of {experiment} has "
                f"{', '.join(map(brief, those))}; correct them, or `folds`",
                where(["statistics", "fold_parameter"]),
            )
    for (experiment, variant), found in seeds.items():
        if len(found) % folds:
            raise SpecError(
                f"paper.statistics.folds: {folds} folds take {folds} seeds, or a multiple where "
                f"the cross-validation is repeated, but {variant} of {experiment} has "
                f"{count_of(len(found), 'seed')}; correct its `seeds`, or `folds`",
                where(["statistics", "folds"]),
            )


def _are(found: Sequence[Json], wanted: Sequence[int]) -> bool:
    """Whether `found` are the whole numbers `wanted`, each once, in any order."""
    numbers = [each for each in found if isinstance(each, int) and not isinstance(each, bool)]
    return len(numbers) == len(found) and sorted(numbers) == list(wanted)
