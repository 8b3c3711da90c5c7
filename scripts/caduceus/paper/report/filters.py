"""Jinja filters that format numbers in the report."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from caduceus.paper.rounding import Digits, round_p, round_value

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
    return (f"{value:,d}" if isinstance(value, int) else round_value(value)).replace("-", _MINUS)


def p_value(p: Any) -> str:
    """Format a p value with two significant digits."""
    if p is None:
        return _NONE
    return "< 0.0001" if p < 1e-4 else round_p(p)


def interval(about: Mapping[str, Any]) -> str:
    """Format the interval [`low`, `high`] of a number; a dash if there is none."""
    if about["low"] is None or about["high"] is None:
        return _NONE
    return f"[{number(about['low'])}, {number(about['high'])}]"


def cell(about: Mapping[str, Any]) -> dict[str, str]:
    """Format a table's number and its interval with the digits of its column."""
    digits = Digits(about["decimals"], about.get("exponent", 0))
    ends = about["spread"] if "spread" in about else _interval_ends(about)
    shown, *rest = (each.replace("-", _MINUS) for each in digits.texts(about["value"], ends))
    interval = f"± {rest[0]}" if len(rest) == 1 else f"[{', '.join(rest)}]" if rest else ""
    return {"value": shown, "interval": interval}


def _interval_ends(about: Mapping[str, Any]) -> list[float]:
    """Return what stands after a number in tables made before `spread`: its interval."""
    value, low, high = (about[name] for name in ("value", "low", "high"))
    if low is None or high is None:
        return []
    is_symmetric = math.isclose(high - value, value - low, rel_tol=1e-6, abs_tol=1e-12)
    return [(high - low) / 2] if is_symmetric else [low, high]


def published(about: dict[str, Any]) -> dict[str, str]:
    """Format a published value and its interval with the digits of the column beside it."""
    half = about["interval"]
    if "decimals" not in about:
        return {"value": number(about["value"]), "interval": "" if half is None else f"± {half:g}"}
    return cell(about | {"spread": [] if half is None else [half]})


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
    "published": published,
    "duration": duration,
}
