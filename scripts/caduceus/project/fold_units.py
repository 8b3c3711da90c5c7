"""The folds of a cross-validation as runs of one variant, if a parameter chooses the fold.

A run's unit, by which runs are paired, is then its seed and its fold. Runs keep their ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from caduceus.io.files import Json
from caduceus.project.paper_selections import CandidateRun
from caduceus.runs.variants import variant_name
from caduceus.statistics.settings import Methods


@dataclass(frozen=True)
class FoldUnit:
    """A run as a fold of its variant.

    Attributes:
        variant: the name of the variant without the fold.
        parameters: its parameters without the fold.
        number: (k + 1) · seed + fold, which is the seed in the paper's comparisons. Folds are
            counted from 0 or from 1, so that k + 1 values occur.
    """

    variant: str
    parameters: dict[str, Json]
    number: int


def fold_unit(
    variant: str, seed: int, parameters: Mapping[str, Json], methods: Methods
) -> FoldUnit | None:
    """Return a run as a fold; None if no parameter of it chooses the fold.

    Args:
        variant: the name of its variant.
        seed: its seed.
        parameters: by name, nested keys joined by dots.
        methods: the statistical methods.
    """
    name, folds = methods.fold_parameter, methods.folds
    if name is None or folds is None:
        return None
    fold = parameters.get(name)
    if isinstance(fold, bool) or not isinstance(fold, int):
        return None
    others = [word for word in variant.split(",") if word != variant_name({name: fold})]
    rest = {key: value for key, value in parameters.items() if key != name}
    return FoldUnit(",".join(others) or "default", rest, (folds + 1) * seed + fold)


def as_fold(run: CandidateRun, methods: Methods) -> CandidateRun:
    """Return a run as the fold of its variant, if one of its parameters chooses the fold."""
    if run.parameters is None:
        return run
    unit = fold_unit(run.variant, run.seed, run.parameters, methods)
    if unit is None:
        return run
    return replace(run, variant=unit.variant, seed=unit.number, parameters=unit.parameters)
