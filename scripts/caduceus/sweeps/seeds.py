"""`seed` among a sweep's parameters: the seeds that its trials run with."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caduceus.io.validation import Where, brief
from caduceus.sweeps.distribution_specs import error_at, read_distribution
from caduceus.sweeps.distributions import Distribution

SEED = "seed"


@dataclass(frozen=True)
class DrawnSeeds:
    """A seed for each trial, drawn from a distribution of whole numbers."""

    distribution: Distribution

    def of(self, trial: int, seed: int) -> int:
        """Return the seed of a trial, which follows from the sweep's own seed."""
        drawn: int = self.distribution.ppf(random.Random(f"{seed} {trial}").random())
        return drawn

    @property
    def largest(self) -> int:
        """The largest seed that may be drawn."""
        found: int = max(self.distribution.levels or ())
        return found


def read_seeds(
    parameters: Any, method: str, where: Where
) -> tuple[tuple[int, ...] | None, DrawnSeeds | None]:
    """Return the seeds that the parameter `seed` gives: a list, or one drawn for each trial.

    A constant and a grid give a list, with each of which every trial runs. A search would take the
    seed that happens to be best, so a random or bayes sweep draws it and doesn't search it.

    Args:
        parameters: `parameters` of the sweep's configuration.
        method: of the sweep.
        where: finds the file and line of a key, for the message.

    Returns:
        The list in the order of the file, or what draws; both None if `seed` is no parameter.

    Raises:
        SpecError: a seed isn't a whole number or is there twice, or the sweep has no other
            parameter.
    """
    if not isinstance(parameters, Mapping) or SEED not in parameters:
        return None, None
    keys, given = ["parameters", SEED], parameters[SEED]
    if not isinstance(given, dict):
        message = "allowed: a mapping such as {value: 0} or {values: [0, 1]}"
        raise error_at(keys, f"found {brief(given)}, {message}", where)
    found = read_distribution(given, [*keys], where)
    if found.levels is None:
        message = "allowed: whole numbers, such as distribution: int_uniform"
        raise error_at(keys, f"found {brief(given)}, {message}", where)
    is_listed = method == "grid" or len(found.levels) == 1
    key = next((key for key in ("value", "values") if key in given), None)
    place = [*keys, key] if key else keys
    seeds = list(given[key]) if key == "values" else list(found.levels)
    for index, seed in enumerate(seeds):
        if not isinstance(seed, int) or isinstance(seed, bool) or (seed in seeds[:index]):
            message = f"found {brief(seed)}, allowed: different whole numbers"
            raise error_at(place, message, where)
    if len(parameters) == 1:
        raise error_at(
            keys,
            "is the only parameter; write an experiment without a sweep, and list the seeds under "
            "`seeds`",
            where,
        )
    return (tuple(seeds), None) if is_listed else (None, DrawnSeeds(found))
