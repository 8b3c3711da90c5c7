"""Variants: their names, and whether they have some parameters."""

import json
from collections.abc import Iterator, Mapping

from caduceus.io.files import Json


def matches(parameters: Mapping[str, Json], wanted: Mapping[str, Json]) -> bool:
    """Whether `parameters` has every value of `wanted`."""
    return all(key in parameters and parameters[key] == value for key, value in wanted.items())


def variant_name(chosen: Mapping[str, Json]) -> str:
    """Return the name of a combination of the matrix, such as `architecture=mlp,shuffled=false`."""
    words = (
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in chosen.items()
    )
    return ",".join(words) or "default"


def leaves(values: Mapping[str, Json], above: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every value that isn't a mapping, with its keys joined by dots; media are left out."""
    for key, value in values.items():
        name = above + key.replace(".", "\\.")
        if not isinstance(value, Mapping):
            yield name, value
        elif "_type" not in value:
            yield from leaves(value, f"{name}.")
