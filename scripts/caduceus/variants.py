"""Variants: what they are called, and which ones some parameters mean."""

import json
from collections.abc import Mapping
from typing import Any


def matches(parameters: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether `parameters` has every value of `wanted`."""
    return all(key in parameters and parameters[key] == value for key, value in wanted.items())


def variant_name(chosen: Mapping[str, Any]) -> str:
    """The name of a combination of the matrix: `architecture=mlp,shuffled=false`."""
    words = (
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in chosen.items()
    )
    return ",".join(words) or "default"
