"""Helpers that keep answers small: pages of rows, short texts, plain values."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from caduceus.errors import CaduceusError
from caduceus.io.phrases import pasted
from caduceus.io.validation import suggestion
from caduceus.runs.unknown_metrics import no_run_logged

Answer = dict[str, Any]

MOST_ROWS = 500  # in a page
_PAGE_CHARACTERS = 12_000  # of JSON in a page, about 5,000 tokens
_TEXT_CHARACTERS = 300
_UNITS = {
    "_s": "seconds",
    "_gb": "10^9 bytes",
    "_gb_s": "10^9 bytes per second",
    "_hours": "hours",
    "_kwh": "kWh",
    "_percent": "percent",
    "bytes": "bytes",
    "_timestamp": "seconds since 1970",
    "_runtime": "seconds",
    "gpu_utilization": "percent",
}


def page(name: str, rows: Sequence[Any], offset: int, limit: int) -> Answer:
    """Return a page of rows, and how to get the next one.

    Returns:
        `total`, `offset`, the rows under `name`, and `more` if rows follow. Long rows make a page
        shorter than `limit`.

    Raises:
        CaduceusError: `offset` or `limit` is out of range.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise CaduceusError(f"limit is {limit}, allowed: 1 to {MOST_ROWS}")
    if not 0 <= offset <= len(rows):
        raise CaduceusError(f"offset is {offset}, allowed: 0 to {len(rows)}")
    part: list[Any] = []
    left = _PAGE_CHARACTERS
    for row in rows[offset : offset + limit]:
        left -= len(json.dumps(plain(row), ensure_ascii=False))
        if part and left < 0:
            break
        part.append(row)
    answer = {"total": len(rows), "offset": offset, name: part}
    if rest := len(rows) - offset - len(part):
        answer["more"] = f"{rest} more: call again with offset={offset + len(part)}"
    return answer


def some(names: Sequence[Any], most: int) -> list[Any]:
    """Return the first names, and a note of how many are left out."""
    rest = len(names) - most
    return [*names] if rest <= 0 else [*names[:most], f"and {rest} more"]


def plain(value: Any) -> Any:
    """Return a value for JSON: non-finite numbers as words, long texts cut."""
    if isinstance(value, str):
        rest = len(value) - _TEXT_CHARACTERS
        return f"{value[:_TEXT_CHARACTERS]}… ({rest} more characters)" if rest > 0 else value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def units(names: Sequence[str]) -> dict[str, str]:
    """Return the units of our own columns; the units of a program's metrics aren't known."""
    ours = (name for name in names if not name.startswith(("summary.", "config.")))
    return {name: unit for name in ours for end, unit in _UNITS.items() if name.endswith(end)}


def choose_metric(wanted: str, logged: Sequence[str]) -> str:
    """Return the name of a metric, which `summary.` may precede.

    Raises:
        CaduceusError: it isn't logged.
    """
    for name in (wanted, wanted.removeprefix("summary.")):
        if name in logged:
            return name
    raise CaduceusError(no_run_logged(wanted, logged))


def choose(wanted: str, known: Sequence[str], what: str) -> str:
    """Return the name in `known` that is meant; `summary.` or `config.` may be left out.

    Raises:
        CaduceusError: no name matches.
    """
    for name in (wanted, f"summary.{wanted}", f"config.{wanted}"):
        if name in known:
            return name
    there = ", ".join(some(known, 40))
    raise CaduceusError(
        f"there is no {what} {pasted(wanted)}{suggestion(wanted, known)}; there are {there}"
    )
