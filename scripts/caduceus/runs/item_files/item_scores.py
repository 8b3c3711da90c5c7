"""The scores of one run on its test items, checked one by one."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.files import Json, canonical_json
from caduceus.io.phrases import pasted

_SHOWN = 40  # characters of a wrong value


@dataclass(frozen=True)
class ItemScore:
    """How a run did on one test item.

    Attributes:
        item: its id.
        score: a finite number: 1 if the run was right and 0 if it was wrong, or any other score.
        cluster: what it shares with other items; None if items are drawn one by one.
        label: what the file says is right for the item, or a digest of the item; None if it doesn't
            say so. It shows whether an id names the same item in two runs.
        place: where in the file it is, such as "line 17".
    """

    item: str
    score: float
    cluster: str | None
    label: str | None
    place: str


def by_item(path: Path, scores: Iterable[ItemScore]) -> dict[str, ItemScore]:
    """Return a run's scores by the ids of the items.

    Raises:
        ResultError: an id occurs twice, or there is no item.
    """
    found: dict[str, ItemScore] = {}
    for score in scores:
        if first := found.get(score.item):
            raise fault(
                path,
                score.place,
                f"the id {pasted(score.item)} occurs twice, first in {first.place}; each item "
                "needs one score",
            )
        found[score.item] = score
    if not found:
        raise ResultError("it has no items", str(path))
    return found


def fault(path: Path, place: str, message: str) -> ResultError:
    """Make the error that says what is wrong at a place of a file."""
    line = place.removeprefix("line ")
    return ResultError(message, f"{path}:{line}" if line.isdigit() else f"{path}, {place}")


def score_of(value: Json) -> tuple[str, float]:
    """Return the kind of a score, "a boolean" or "a number", and its value; true counts as 1.

    Raises:
        ValueError: it is neither, or not finite; the message says what it is.
    """
    if isinstance(value, bool):
        return "a boolean", float(value)
    if value is None:
        raise ValueError("is missing")
    if not isinstance(value, int | float):
        raise ValueError(f"is {brief(value)}, not a number")
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"is {number}, with which no test is valid; give the item a finite score")
    return "a number", number


def id_of(value: Json) -> tuple[str, str]:
    """Return the kind of an id, "text" or "a whole number", and the id as text.

    Raises:
        ValueError: it is neither, or empty; the message says what it is.
    """
    if isinstance(value, str) and value:
        return "text", value
    if isinstance(value, int) and not isinstance(value, bool):
        return "a whole number", str(value)
    if value in (None, ""):
        raise ValueError("is missing")
    raise ValueError(f"is {brief(value)}, not text or a whole number")


def text_of(value: Json) -> str | None:
    """Return a label or cluster as text that is equal for equal values; None if it is missing."""
    return value if isinstance(value, str) or value is None else canonical_json(value)


def in_record(record: Mapping[str, Json], key: str) -> Json:
    """Return the value of a key, in which dots lead into objects; None if it isn't there."""
    if key in record:
        return record[key]
    first, _, rest = key.partition(".")
    inside = record.get(first)
    return in_record(inside, rest) if rest and isinstance(inside, Mapping) else None


def brief(value: Json) -> str:
    """Return a value as JSON, cut off if it is long."""
    text = canonical_json(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
