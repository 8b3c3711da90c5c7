"""The design of a ledger's sequential test, fixed before the first try."""

from dataclasses import asdict, replace

from caduceus.errors import ResultError, SpecError
from caduceus.io.files import Json
from caduceus.runs.files.tries import TrySettings
from caduceus.statistics.tries import Design, level_of_try


def new_design(settings: TrySettings, where: str) -> Design:
    """Return the design of a new ledger.

    Args:
        settings: of the ledger.
        where: their file.

    Raises:
        SpecError: the settings allow no verdict.
    """
    try:
        design = Design(level=settings.level, min_effect=settings.min_effect)
        if settings.budget is not None:
            design = _with_budget(design, settings.budget)
    except ResultError as error:
        raise SpecError(str(error), where) from None
    budget = design.confirmation[-1]
    level = level_of_try(design, [])
    if level < 0.5**budget:
        least = next(pairs for pairs in range(budget, 1000) if level >= 0.5**pairs)
        raise SpecError(
            f"budget: {budget} pairs can't show anything at level {settings.level:g}; allow at "
            f"least {least}",
            where,
        )
    return design


def design_json(design: Design) -> dict[str, Json]:
    """Return a design as ledger.json has it."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(design).items()
    }


def _with_budget(design: Design, budget: int) -> Design:
    """Return a design whose last look is at `budget` pairs."""
    looks = [pairs for pairs in design.confirmation[:-1] if pairs < budget]
    spending = (*design.spending[: len(looks)], 1.0)
    return replace(design, confirmation=(*looks, budget), spending=spending)
