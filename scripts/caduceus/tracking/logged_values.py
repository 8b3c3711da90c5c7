"""Plain values among those that programs log: numbers and text."""

from collections.abc import Mapping
from typing import Any


def number_of(value: Any) -> float | None:
    """Return `value` as a number, also of numpy and torch; None if it isn't a single number."""
    if not isinstance(value, int | float) and hasattr(value, "item"):
        try:
            value = value.item()
        except (RuntimeError, TypeError, ValueError):  # it has several elements
            return None
    return value if isinstance(value, int | float) else None


def is_plain(row: Mapping[str, Any]) -> bool:
    """Whether a row has numbers and text only."""
    return all(isinstance(value, str) or number_of(value) is not None for value in row.values())
