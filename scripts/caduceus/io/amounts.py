"""Times and sizes in words."""


def duration(seconds: float) -> str:
    """Return a time such as 40 s, 12 min or 3.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{_three_digits(seconds / 3600)} h"


def size(count: int) -> str:
    """Return a number of bytes such as 4.5 MB."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{_three_digits(count / factor)} {unit}"
    return f"{count} bytes"


def _three_digits(value: float) -> str:
    """Return three significant digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
