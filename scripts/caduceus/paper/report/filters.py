"""Jinja filters that format numbers in the report."""

import math
from collections.abc import Callable, Mapping
from typing import Any

_NONE = "–"
_MINUS = "\N{MINUS SIGN}"


def number(value: Any) -> str:
    """Format a number with four significant digits, an integer with all; a dash for None."""
    if value is None:
        return _NONE
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return _NONE if math.isnan(value) else str(value)
    return (f"{value:,d}" if isinstance(value, int) else f"{value:.4g}").replace("-", _MINUS)


def p_value(p: Any) -> str:
    """Format a p value with two significant digits."""
    if p is None:
        return _NONE
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def interval(about: Mapping[str, Any]) -> str:
    """Format the interval [`low`, `high`] of a number; a dash if there is none."""
    if about["low"] is None or about["high"] is None:
        return _NONE
    return f"[{number(about['low'])}, {number(about['high'])}]"


def cell(about: Mapping[str, Any]) -> dict[str, str]:
    """Format a table's number and its interval with the cell's decimals."""
    decimals = about["decimals"]
    value, low, high = (about[name] for name in ("value", "low", "high"))

    def show(each: float) -> str:
        return f"{each:.{decimals}f}".replace("-", _MINUS)

    ends = ""
    if low is not None and high is not None:
        is_symmetric = math.isclose(high - value, value - low, rel_tol=1e-6, abs_tol=1e-12)
        ends = f"± {show((high - low) / 2)}" if is_symmetric else f"[{show(low)}, {show(high)}]"
    return {"value": show(value), "interval": ends}


def duration(hours: float) -> str:
    """Format a time in hours, minutes or seconds."""
    if hours >= 1:
        return f"{hours:.3g} h" if hours < 1000 else f"{hours:,.0f} h"
    return f"{hours * 60:.3g} min" if hours * 60 >= 1 else f"{hours * 3600:.3g} s"


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "p_value": p_value,
    "interval": interval,
    "cell": cell,
    "duration": duration,
}
