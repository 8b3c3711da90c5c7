"""Phrase counts and lists for use in messages."""

import json
from collections.abc import Sequence


def count_of(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: "1 run", "2 runs", "1,000 runs"."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def pasted(name: str) -> str:
    """Return a name in quotes, such that YAML and Python read it when a user pastes it."""
    # A dot inside a metric's name is written `\.`, which no escape of Python is.
    if name.isprintable() and "'" not in name and "\\" not in name.replace("\\.", ""):
        return f"'{name}'"
    return json.dumps(name, ensure_ascii=not name.isprintable())


def printable(text: str) -> str:
    """Return `text` with control characters as Python writes them, which a terminal would obey."""
    return "".join(c if c.isprintable() or c in "\n\t\u00a0" else ascii(c)[1:-1] for c in text)


def spoken_list(names: Sequence[str]) -> str:
    """Return all names: "a", "a and b", "a, b and c"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def listed(names: Sequence[str], shown: int) -> str:
    """Return the first `shown` names, and the number of others: "a, b and 3 more"."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
