"""Configurations that are given to a sweep, checked against its space."""

from collections.abc import Mapping
from typing import Any

from caduceus.io.files import canonical_json
from caduceus.io.phrases import pasted
from caduceus.io.validation import suggestion
from caduceus.runs.variants import leaves
from caduceus.sweeps.distributions import Distribution
from caduceus.sweeps.spaces import Configuration, Space


def read_point(given: Mapping[str, Any], space: Space) -> Configuration:
    """Return a given configuration, nested as in the sweep's file.

    Args:
        given: a value for each parameter that isn't constant, nested, or by names such as
            `optimizer.lr`.
        space: the search space.

    Raises:
        ValueError: a parameter is missing, unknown or outside the space; the message says which.
    """
    below = {name.replace("\\.", "."): value for name, value in leaves(given)}
    values = below | dict(given)
    known = {parameter.name for parameter in space.parameters}
    for name in below:
        if name not in known and not any(name.startswith(f"{each}.") for each in known):
            raise ValueError(f"{pasted(name)} is no parameter{suggestion(name, known)}")
    chosen = {}
    for parameter in space.parameters:
        distribution = parameter.distribution
        if parameter.name not in values and distribution.kind == "constant":
            chosen[parameter.path] = distribution.ppf(0.0)
            continue
        if parameter.name not in values:
            raise ValueError(f"lacks the parameter {parameter.name}")
        value = values[parameter.name]
        possible = _possible(value, distribution)
        if not possible:
            raise ValueError(f"{parameter.name} = {canonical_json(value)} is outside the space")
        chosen[parameter.path] = possible[0]
    return space.nest(chosen)


def _possible(value: Any, distribution: Distribution) -> list[Any]:
    """Return a value as a distribution gives it, such as 100 for 100.0; empty if it never does."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if distribution.levels is None:
        is_inside = is_number and distribution.ppf(0.0) <= value <= distribution.ppf(1.0)
        return [value] if is_inside else []
    same = [each for each in distribution.levels if canonical_json(each) == canonical_json(value)]
    return same or [
        each
        for each in distribution.levels
        if is_number and not isinstance(each, bool | str) and each == value
    ]
