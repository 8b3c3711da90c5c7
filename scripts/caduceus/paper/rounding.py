"""Round numbers for tables and sentences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_MOST = 6  # digits after the point; beyond it a power of ten is taken out
_LARGE = 6  # the power of ten from which on it is taken out
_LARGE_EXACT = 9  # the same of numbers without an interval, which may be counts
_LEAST = -300  # the power of ten that can be taken out of any number, also of the least floats


@dataclass(frozen=True)
class Digits:
    """The digits that the numbers of a column are shown with.

    Attributes:
        decimals: digits after the point; a negative number rounds to tens, hundreds and so on.
        exponent: the power of ten by which the numbers are divided.
    """

    decimals: int
    exponent: int = 0

    def text(self, value: float) -> str:
        """Format a number; one that would become 0 has two significant digits: 4.2e-08."""
        divided = value / 10.0**self.exponent
        shown = round(divided, self.decimals)
        if value and not shown:
            return f"{divided:.1e}"
        return f"{shown:.{max(self.decimals, 0)}f}"

    def texts(self, value: float, ends: Sequence[float]) -> list[str]:
        """Format a number and its half-width, or the ends of its interval.

        A number becomes 0 only where the interval shows that this is no more than noise.
        """
        first = self.text(value)
        if "e" in first and any("e" not in self.text(end) for end in ends if end):
            first = f"{0:.{max(self.decimals, 0)}f}"
        return [first, *map(self.text, ends)]

    @property
    def power(self) -> str:
        """The power of ten in words, for the heading; empty if there is none."""
        return f"×10{str(self.exponent).translate(_RAISED)}" if self.exponent else ""


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def digits_of(values: Sequence[float], half_intervals: Sequence[float]) -> Digits:
    """Return the digits that a column of numbers needs.

    At least half of the intervals' half-widths then show two significant digits. Without intervals,
    the greatest value shows four, and all before the point. Where more than six digits after the
    point were needed, or the greatest value is a million or more, its power of ten is taken out.
    """
    greatest = max(map(abs, values), default=0.0)
    halves = sorted(half for half in half_intervals if 0 < half < math.inf)
    if not greatest and not halves:
        return Digits(0)
    if halves:
        decimals = 1 - _power(halves[(len(halves) - 1) // 2])
    else:
        decimals = max(3 - _power(greatest), 0)
    power = _power(greatest or halves[-1])
    if decimals > _MOST:
        is_possible = power < 0 and decimals + power <= _MOST
        return Digits(decimals + power, power) if is_possible else Digits(_MOST)
    if power >= (_LARGE if halves else _LARGE_EXACT):
        return Digits(decimals + power if halves else 3, power)
    return Digits(decimals)


def _power(size: float) -> int:
    return max(math.floor(math.log10(size)), _LEAST)


def round_value(value: float) -> str:
    """Format a value with four significant digits, and with all before the point up to 10^6."""
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.4g}"


def round_p(p: float) -> str:
    """Format a p value with two significant digits."""
    return f"{p:.2g}"
