"""What programs log, as far as it is plain: numbers and text."""

from collections.abc import Mapping
from typing import Any


def number_of(value: Any) -> float | None:
    """`value` if it is one number, of numpy's and torch's too."""
    if not isinstance(value, int | float) and hasattr(value, "item"):
        try:
            value = value.item()
        except (RuntimeError, TypeError, ValueError):  # it is several
            return None
    return value if isinstance(value, int | float) else None


def is_plain(row: Mapping[str, Any]) -> bool:
    """Whether it holds numbers and text alone."""
    return all(isinstance(value, str) or number_of(value) is not None for value in row.values())
