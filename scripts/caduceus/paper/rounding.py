"""Round numbers for tables and sentences."""

import math
from collections.abc import Sequence


def round_value(value: float) -> str:
    """Format a value with four significant digits."""
    return f"{value:.4g}"


def decimals_of(values: Sequence[float], half_intervals: Sequence[float]) -> int:
    """Return how many decimals a column of numbers needs, from 0 to 6.

    At least half of the intervals' half-widths then show two significant digits. Without
    intervals, the greatest value shows four.
    """
    halves = sorted(half for half in half_intervals if 0 < half < math.inf)
    size, digits = (halves[(len(halves) - 1) // 2], 2) if halves else (max(map(abs, values)), 4)
    return min(max(digits - 1 - math.floor(math.log10(size)), 0), 6) if size else 0


def round_p(p: float) -> str:
    """Format a p value with two significant digits."""
    return f"{p:.2g}"
