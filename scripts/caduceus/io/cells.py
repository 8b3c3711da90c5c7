"""Render logged values as cells of CSV files, in one canonical form.

A value is logged as JSON text. The run's log and a W&B server hold different texts of one value (Go
re-encodes numbers), so a cell is in canonical form, in which both are equal:

    1, -7, 9007199254740993   whole numbers, exact; a float without a fraction below 2^53 is one
    0.1, 1e-05, 1e+21         other floats, in the shortest form that reads back as the same number
    NaN, Infinity, -Infinity  floats that aren't finite
    true, false, null         booleans and none
    some text                 text as it is, unless it could be read as something else:
    "1", "", "true", "[x"     then in JSON's quotes
    [1,2], {"a":1}            lists and mappings as JSON, keys sorted: wandb's order is random
    (empty)                   the row has no such metric
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_NEEDS_QUOTES = re.compile(r'[,"\r\n]')
_EXACT = 2.0**53  # below this every whole number is exact as a float, so `1.0` and `1` are equal
# Texts that mean another value, unless they are in quotes.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_RESERVED = {"NaN", "Infinity", "-Infinity", "true", "false", "null", ""}


def cell(json_text: str) -> str:
    """Return the canonical text of a value that was logged as `json_text`.

    Invalid JSON, or JSON that is nested too deeply for Python's reader, counts as text.
    """
    first = json_text[:1]
    try:
        if first and first in '"[{':
            return render(json.loads(json_text))
        if first.isdigit() or first == "-":
            return _number(json_text)
    except (ValueError, RecursionError):
        return _text(json_text)
    return json_text


def render(value: Any) -> str:
    """Return the canonical text of a Python value; empty for None."""
    if value is None:
        return ""
    return _text(value) if isinstance(value, str) else render_json(value)


def render_or_null(value: Any) -> str:
    """Return the canonical text of a Python value, with null for None, for use in a sentence."""
    return "null" if value is None else render(value)


def render_json(value: Any) -> str:
    """Return `value` as JSON without spaces, with sorted keys and canonical numbers."""
    if isinstance(value, dict):
        keys = sorted(value)
        items = (f"{json.dumps(k, ensure_ascii=False)}:{render_json(value[k])}" for k in keys)
        return "{" + ",".join(items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(render_json, value)) + "]"
    if isinstance(value, float):
        return _float(value)
    if hasattr(value, "dtype"):  # a scalar of NumPy that is no float of Python
        return render_json(value.item())
    return json.dumps(value, ensure_ascii=False)


def canonical(value: Any, are_integers_exact: bool = False) -> Any:
    """Return `value` with its numbers as cells have them, and its dictionaries sorted by key.

    Args:
        value: what is logged or configured.
        are_integers_exact: whether integers beyond 64 bits are kept; else they are floats, as on a
            server.
    """
    if isinstance(value, dict):
        return {key: canonical(value[key], are_integers_exact) for key in sorted(value)}
    if isinstance(value, list):
        return [canonical(item, are_integers_exact) for item in value]
    if isinstance(value, int) and not are_integers_exact and not -(2**63) <= value < 2**63:
        return float(str(value))  # as wandb sends it; infinite if it is too large
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def _number(text: str) -> str:
    if text.lstrip("-").isdigit():
        return text if text != "-0" else "0"
    return _float(float(text))


def _float(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < _EXACT:
        return str(int(value))
    return float.__repr__(value)  # that of NumPy's subclass begins with its name


def _text(text: str) -> str:
    """Return `text` as it is if it can't be read as another value, else in quotes."""
    if text in _RESERVED or text[0] in '"[{' or _is_number(text):
        return json.dumps(text, ensure_ascii=False)
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def parse(cell_text: str) -> Any:
    """Return the value of a cell that isn't empty; the inverse of `cell`.

    A cell that `cell` can't have written, as in a damaged file, counts as text.
    """
    if cell_text[0] in '"[{' or cell_text in _RESERVED or _is_number(cell_text):
        try:
            return json.loads(cell_text)
        except (ValueError, RecursionError):
            return cell_text
    return cell_text


def without_formula(value: Any) -> Any:
    """Return a value; text that a spreadsheet would run as a formula begins with an apostrophe."""
    is_run = isinstance(value, str) and value.startswith(_FORMULAS)
    return f"'{value}" if is_run else value


def to_csv(rows: Sequence[Mapping[str, Any]], first: Sequence[str]) -> str:
    """Return rows as CSV: the columns `first`, then the others in the order of first appearance."""
    columns = list(dict.fromkeys([*first, *(name for row in rows for name in row)]))
    cells = ([render(row[name]) if name in row else "" for name in columns] for row in rows)
    return csv_line(columns) + "".join(map(csv_line, cells))


def csv_line(cells: Iterable[str]) -> str:
    r"""Return a line of a CSV file by RFC 4180, but ended by `\n` alone."""
    return ",".join(map(quoted, cells)) + "\n"


def quoted(cell_text: str) -> str:
    """Return a cell, in quotes if it needs them.

    Python's csv module (before 3.13) doesn't quote a carriage return, and then reads it as the end
    of a line.
    """
    if _NEEDS_QUOTES.search(cell_text):
        return '"' + cell_text.replace('"', '""') + '"'
    return cell_text
