"""`seed` among a sweep's parameters: the seeds that each of its trials runs with."""

from collections.abc import Mapping
from typing import Any

from caduceus.io.validation import Where, brief
from caduceus.sweeps.distribution_specs import error_at

SEED = "seed"
_KEYS: dict[str, set[str]] = {
    "value": {"value", "distribution"},
    "values": {"values", "distribution"},
}
_MEND = "write {value: 0}, or list seeds under `seeds` of an experiment, with which each trial runs"


def listed_seeds(parameters: Any, method: str, where: Where) -> list[int] | None:
    """Return the seeds that the parameter `seed` gives: a constant, or the list of a grid.

    Args:
        parameters: `parameters` of the sweep's configuration.
        method: of the sweep.
        where: finds the file and line of a key, for the message.

    Returns:
        The seeds in the order of the file; None if `seed` is no parameter.

    Raises:
        SpecError: each trial would draw a seed, one isn't a whole number or is there twice, or the
            sweep has no other parameter.
    """
    if not isinstance(parameters, Mapping) or SEED not in parameters:
        return None
    keys, given = ["parameters", SEED], parameters[SEED]
    key = next((key for key, known in _KEYS.items() if _has_only(given, key, known)), None)
    if key is None:
        raise error_at(
            keys, f"found {brief(given)}, allowed: one seed, or a grid's list; {_MEND}", where
        )
    seeds = [given["value"]] if key == "value" else given["values"]
    if len(seeds) > 1 and method != "grid":
        raise error_at(keys, f"method {method} would draw a seed for each trial; {_MEND}", where)
    for index, seed in enumerate(seeds):
        if not isinstance(seed, int) or isinstance(seed, bool) or seed in seeds[:index]:
            message = f"found {brief(seed)}, allowed: different whole numbers"
            raise error_at([*keys, key], message, where)
    if len(parameters) == 1:
        raise error_at(
            keys,
            "is the only parameter; write an experiment without a sweep, and list the seeds under "
            "`seeds`",
            where,
        )
    return seeds


def _has_only(given: Any, key: str, known: set[str]) -> bool:
    """Whether a parameter is given by `key`, with a value of its kind."""
    if not isinstance(given, Mapping) or key not in given or not set(given) <= known:
        return False
    return key == "value" or (isinstance(given[key], list) and bool(given[key]))
