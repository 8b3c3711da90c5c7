"""Read what a page asks from requests of any content."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from caduceus.errors import CaduceusError
from caduceus.overview.board.curves import Query, Wanted

_MOST_RUNS = 200  # in one question, so that every answer comes soon
_MOST_VARIANTS = 50
_POINTS = (4, 20_000)


class QuestionError(CaduceusError):
    """A request isn't one that the board answers."""


def read_body(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object in the body of a request.

    Raises:
        QuestionError: it isn't one.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise QuestionError("the request's body isn't a JSON object")
    return value


def read_query(body: Mapping[str, Any]) -> Query:
    """Return which curves a request is about.

    Raises:
        QuestionError: a key has another type of value, or is out of range.
    """
    metric, axis, points = body.get("metric"), body.get("axis"), body.get("points", 1000)
    if not isinstance(metric, str) or not (axis is None or isinstance(axis, str)):
        raise QuestionError("`metric` is a name, and so is `axis` unless it is null")
    if not _is_whole(points) or not _POINTS[0] <= points <= _POINTS[1]:
        raise QuestionError(f"`points` is a whole number from {_POINTS[0]} to {_POINTS[1]}")
    return Query(metric, axis, points)


def read_wanted(body: Mapping[str, Any]) -> list[Wanted]:
    """Return the curves of single runs that a request is about.

    Raises:
        QuestionError: `runs` isn't a list of such objects, or is too long.
    """
    found = []
    for each in _objects(body, "runs", _MOST_RUNS):
        run, epoch, start = each.get("run"), each.get("epoch"), each.get("from", 0)
        if not isinstance(run, str) or not (epoch is None or isinstance(epoch, str)):
            raise QuestionError("in `runs`, `run` is an id, and `epoch` that of an earlier answer")
        if not _is_whole(start):
            raise QuestionError("in `runs`, `from` is a whole number")
        found.append(Wanted(run, epoch, start))
    return found


def read_variants(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return experiment and name of the variants that a request is about.

    Raises:
        QuestionError: `variants` isn't a list of such objects, or is too long.
    """
    found = []
    for each in _objects(body, "variants", _MOST_VARIANTS):
        experiment, variant = each.get("experiment"), each.get("variant")
        if not isinstance(experiment, str) or not isinstance(variant, str):
            raise QuestionError("in `variants`, `experiment` and `variant` are names")
        found.append((experiment, variant))
    return found


def read_states(body: Mapping[str, Any]) -> list[str] | None:
    """Return the states of runs that a request is about; None for the usual ones.

    Raises:
        QuestionError: `states` isn't a list of texts.
    """
    states = body.get("states")
    if states is None:
        return None
    if not isinstance(states, list) or not all(isinstance(each, str) for each in states):
        raise QuestionError("`states` is a list of states")
    return states


def whole_number(text: str, name: str, most: int = 1 << 53) -> int:
    """Return the whole number in an argument of an address.

    Raises:
        QuestionError: it isn't one, or is greater than `most`.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and int(text) <= most):
        raise QuestionError(f"`{name}` is a whole number from 0 to {most}")
    return int(text)


def _objects(body: Mapping[str, Any], name: str, most: int) -> Sequence[Mapping[str, Any]]:
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise QuestionError(f"`{name}` is a list of objects")
    if len(value) > most:
        raise QuestionError(f"`{name}` has {len(value)} entries, at most {most} at once")
    return value


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
