"""What variants are called beside each other, and what others have published of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.paper.results import Variant
from caduceus.runs.variants import matches, variant_name


@dataclass(frozen=True)
class Published:
    """A value somebody else published, with half the width of its interval, if it has one."""

    value: float
    half_width: float | None


def varying_parameters(variants: Sequence[Variant]) -> tuple[str, ...]:
    """The parameters that tell the variants apart, in the order of the experiments' files."""
    names = dict.fromkeys(name for variant in variants for name in variant.parameters)
    return tuple(
        name
        for name in names
        if len({word(variant.parameters.get(name)) for variant in variants}) > 1
    )


def variant_label(variant: Variant, names: Sequence[str]) -> str:
    """What to call a variant among others that differ in the parameters `names`."""
    words = (
        value if isinstance(value, str) else variant_name({name: value})
        for name in names
        for value in [variant.parameters.get(name)]
        if value is not None
    )
    return " ".join(words) or variant.name


def published_value(
    published: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]
) -> Published | None:
    """The published value that belongs to a variant with these parameters.

    Args:
        published: `published` of an entry of `paper`.
        parameters: the variant's.
    """
    for entry in published:
        if entry["parameters"] and matches(parameters, entry["parameters"]):
            return Published(entry["value"], entry["interval"])
    return None


def word(value: Any) -> str:
    """A parameter's value as text; empty for none."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
