"""One text for each logged value, the same from whichever source the value comes.

A value is logged as JSON text. Its cell in a CSV file is that text in canonical form:

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
_EXACT = 2.0**53  # every whole float below this is exact, so `1.0` and `1` are the same number
_WORDS = {"NaN", "Infinity", "-Infinity", "true", "false", "null", ""}


def cell(json_text: str) -> str:
    """The canonical text of a value that was logged as `json_text`.

    What isn't JSON, or is nested deeper than Python goes, is taken for text.
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
    """The canonical text of a value that isn't JSON text; empty for None."""
    if value is None:
        return ""
    return _text(value) if isinstance(value, str) else render_json(value)


def in_word(value: Any) -> str:
    """The same where an empty place would be taken for nothing: null for None."""
    return "null" if value is None else render(value)


def render_json(value: Any) -> str:
    """`value` as JSON without spaces, its numbers in canonical form."""
    if isinstance(value, dict):
        keys = sorted(value)
        items = (f"{json.dumps(k, ensure_ascii=False)}:{render_json(value[k])}" for k in keys)
        return "{" + ",".join(items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(render_json, value)) + "]"
    if isinstance(value, float):
        return _float(value)
    return json.dumps(value, ensure_ascii=False)


def canonical(value: Any) -> Any:
    """`value` with its numbers as cells have them, and the keys of its dictionaries sorted."""
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(str(value))  # so wandb sends it; infinite where it is too large
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
    return repr(value)


def _text(text: str) -> str:
    """`text` bare where nothing else looks like it, else in quotes."""
    if text in _WORDS or text[0] in '"[{' or _looks_like_number(text):
        return json.dumps(text, ensure_ascii=False)
    return text


def _looks_like_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def parse(cell_text: str) -> Any:
    """The value of a cell; the reverse of `cell`, for cells that aren't empty."""
    if cell_text[0] in '"[{' or cell_text in _WORDS or _looks_like_number(cell_text):
        return json.loads(cell_text)
    return cell_text


def to_csv(rows: Sequence[Mapping[str, Any]], first: Sequence[str]) -> str:
    """Rows as CSV: the columns `first`, then all others in the order they first appear."""
    columns = list(dict.fromkeys([*first, *(name for row in rows for name in row)]))
    cells = ([render(row[name]) if name in row else "" for name in columns] for row in rows)
    return csv_line(columns) + "".join(map(csv_line, cells))


def csv_line(cells: Iterable[str]) -> str:
    """A line of a CSV file as RFC 4180 has it, but for its end."""
    return ",".join(map(quoted, cells)) + "\n"


def quoted(cell_text: str) -> str:
    """A cell in quotes if it needs them.

    Python's csv module leaves a carriage return bare (until 3.13), and then reads it as a line end.
    """
    if _NEEDS_QUOTES.search(cell_text):
        return '"' + cell_text.replace('"', '""') + '"'
    return cell_text
