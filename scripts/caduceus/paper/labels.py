"""Labels that tell variants apart, and the published values that belong to them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from caduceus.paper.results import Variant
from caduceus.project.paper import PublishedResult
from caduceus.runs.variants import matches, variant_name


def varying_parameters(variants: Sequence[Variant]) -> tuple[str, ...]:
    """Return the parameters in which the variants differ, in the order of the experiment files."""
    names = dict.fromkeys(name for variant in variants for name in variant.parameters)
    return tuple(
        name
        for name in names
        if len({parameter_text(variant.parameters.get(name)) for variant in variants}) > 1
    )


def variant_label(variant: Variant, names: Sequence[str]) -> str:
    """Label a variant by its values of the parameters `names`."""
    words = (
        value if isinstance(value, str) else variant_name({name: value})
        for name in names
        for value in [variant.parameters.get(name)]
        if value is not None
    )
    return " ".join(words) or variant.name


def published_value(
    published: Iterable[PublishedResult], parameters: Mapping[str, Any]
) -> PublishedResult | None:
    """Return the published value of a variant with these parameters; None if there is none.

    Args:
        published: the published results of an entry of `paper`.
        parameters: the variant's.
    """
    return next((p for p in published if p.parameters and matches(parameters, p.parameters)), None)


def parameter_text(value: Any) -> str:
    """Format a parameter's value; None becomes the empty string."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
