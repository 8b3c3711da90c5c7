"""Numbers as pages show them: with the digits that count."""

import math
from collections.abc import Sequence


def round_value(value: float) -> str:
    """Four digits."""
    return f"{value:.4g}"


def decimals_of(values: Sequence[float], half_intervals: Sequence[float]) -> int:
    """How many digits after the point a column of numbers needs, from 0 to 6.

    So many that of half the intervals, or more, two digits are seen; if there are none, four of the
    greatest value.
    """
    halves = sorted(half for half in half_intervals if 0 < half < math.inf)
    size, digits = (halves[(len(halves) - 1) // 2], 2) if halves else (max(map(abs, values)), 4)
    return min(max(digits - 1 - math.floor(math.log10(size)), 0), 6) if size else 0


def round_p(p: float) -> str:
    """Two digits."""
    return f"{p:.2g}"
