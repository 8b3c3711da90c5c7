"""Scores of items from records: the rows of a CSV file, or the samples that lm-eval wrote.

lm-eval (Gao et al., EleutherAI) writes samples_TASK_TIME.jsonl, with a JSON object for each item
and filter: `doc_id`, `doc`, `target`, `filter`, `metrics` (the names of its scores), and each
score. Its W&B logger writes the same objects as one list, TASK_eval_samples.json.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from caduceus.errors import ResultError
from caduceus.io.csv_rows import numbered_rows
from caduceus.io.files import Json
from caduceus.io.phrases import listed, pasted
from caduceus.io.validation import suggestion
from caduceus.runs.item_files.item_file import ItemFile
from caduceus.runs.item_files.item_scores import (
    ItemScore,
    brief,
    fault,
    id_of,
    in_record,
    score_of,
    text_of,
)

_IDS = (
    ("example", "id", "item", "doc_id", "example_id", "item_id", "sample_id", "question_id"),
    ("index", ""),  # pandas writes its index without a name
)
_HASH, _TARGET = "doc_hash", "target"  # of lm-eval: of the item, and what is right
_EXACT = 2.0**53  # below this every whole number is exact as a float
_LISTED = 20  # keys or columns that an error lists
_Checked = TypeVar("_Checked", str, float)
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class _Line:
    """A row of CSV or an object of JSON, with its place in the file."""

    place: str
    record: Mapping[str, Json]


def csv_scores(path: Path, chosen: ItemFile) -> Iterator[ItemScore]:
    """Yield the scores in a CSV file with a row for each item.

    A score is a number, or true or false. Without one, an item's score is 1 if `prediction` is the
    same text or number as `label`, else 0.

    Raises:
        ResultError: the file isn't CSV, or a row lacks an id or a score; names the line.
    """
    lines = [_Line(f"line {line}", row) for line, row in numbered_rows(path)]
    yield from _scores(path, lines, chosen, _number)


def json_scores(path: Path, chosen: ItemFile) -> Iterator[ItemScore]:
    """Yield the scores in a file with a JSON object for each item: on lines, or in one list.

    Raises:
        ResultError: the file isn't JSON, several scores or filters of lm-eval are in question, or
            an object lacks an id or a score; names the line, or the object in its list.
    """
    yield from _scores(path, list(_json_lines(path)), chosen, lambda value: value)


def _json_lines(path: Path) -> Iterator[_Line]:
    place = "line 1"
    try:
        text = path.read_text(encoding="utf-8-sig")
        if text.lstrip().startswith("["):
            records = [(f"object {at}", each) for at, each in enumerate(json.loads(text), 1)]
        else:
            records = []
            # Not `splitlines`: JSON may have other line separators, such as U+2028, in its text.
            for at, line in enumerate(text.split("\n"), 1):
                place = f"line {at}"
                if line.strip():
                    records.append((place, json.loads(line)))
    except json.JSONDecodeError as error:
        there = place if error.lineno == 1 else f"line {error.lineno}"
        raise fault(path, there, f"not JSON ({error.msg})") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, or a number of 5,000 digits
        raise ResultError(f"not JSON in UTF-8 ({type(error).__name__})", str(path)) from None
    for place, record in records:
        if not isinstance(record, dict):
            raise fault(path, place, f"{brief(record)} isn't an object; an item is one")
        yield _Line(place, record)


def _scores(
    path: Path, lines: Sequence[_Line], chosen: ItemFile, parse: Callable[[Json], Json]
) -> Iterator[ItemScore]:
    if not lines:
        raise ResultError("it has no items", str(path))
    lines = _filtered(path, lines, chosen.filter)
    first = lines[0]
    keys = _Keys.of(path, first, chosen)
    if keys.score is None:
        _check_classes(path, lines, keys)
    kinds: dict[str, tuple[str, str]] = {}  # of id and score: the first kind, and its place
    for line in lines:
        kind, item = _checked(path, line, keys.id, id_of)
        _check_kind(path, line, keys.id, kind, kinds)
        if keys.score is None:
            score = float(_are_equal(*(_present(path, line, key) for key in keys.classes)))
        else:
            kind, score = _checked(path, line, keys.score, lambda value: score_of(parse(value)))
            _check_kind(path, line, keys.score, kind, kinds)
        cluster = None
        if keys.cluster is not None:
            cluster = text_of(_present(path, line, keys.cluster))
        label = None if keys.label is None else text_of(in_record(line.record, keys.label))
        yield ItemScore(item, score, cluster, label, line.place)


@dataclass(frozen=True)
class _Keys:
    """The keys of what is read; `score` is None if the two `classes` are compared."""

    id: str
    score: str | None
    classes: tuple[str, str]
    cluster: str | None
    label: str | None

    @classmethod
    def of(cls, path: Path, first: _Line, chosen: ItemFile) -> "_Keys":
        record = first.record
        classes = (chosen.prediction or "prediction", chosen.label or "label")
        for name, key in (
            ("id", chosen.id),
            ("score", chosen.score),
            ("cluster", chosen.cluster),
            ("prediction", chosen.prediction),
            ("label", chosen.label),
        ):
            if key is not None and not _has(record, key):
                hint = suggestion(key, list(record))
                raise ResultError(
                    f"it has no {pasted(key)}, the `{name}` of its items{hint}; there are "
                    f"{_named(record)}",
                    str(path),
                )
        return cls(
            id=chosen.id if chosen.id is not None else _id_key(path, record),
            score=chosen.score or _score_key(path, record, classes),
            classes=classes,
            cluster=chosen.cluster,
            label=next((key for key in (classes[1], _HASH, _TARGET) if _has(record, key)), None),
        )


def _id_key(path: Path, record: Mapping[str, Json]) -> str:
    groups = ([key for key in keys if key in record] for keys in _IDS)
    found = next(filter(None, groups), [])
    if len(found) == 1:
        return found[0]
    what = f"{' and '.join(map(pasted, found))} may be the id" if found else "no key is an id"
    raise ResultError(
        f"{what} of its items; name it, such as `items: {{id: example}}`; there are "
        f"{_named(record)}",
        str(path),
    )


def _score_key(path: Path, record: Mapping[str, Json], classes: tuple[str, str]) -> str | None:
    metrics = record.get("metrics")
    if isinstance(metrics, list) and metrics:
        names = [str(name) for name in metrics]
        if len(names) == 1 and names[0] in record:
            return names[0]
        raise ResultError(
            f"it has {len(names)} scores, {', '.join(names)}; choose one, such as "
            f"`items: {{score: {names[0]}}}`",
            str(path),
        )
    missing = [key for key in classes if not _has(record, key)]
    if missing:
        raise ResultError(
            f"it has no {' and no '.join(map(pasted, missing))} to tell whether an item is right; "
            f"name the score, such as `items: {{score: correct}}`; there are {_named(record)}",
            str(path),
        )
    return None


def _filtered(path: Path, lines: Sequence[_Line], wanted: str | None) -> Sequence[_Line]:
    """Return the lines of one filter of lm-eval; all lines if there are no filters."""
    if wanted is None and "doc_id" not in lines[0].record:
        return lines  # another program's, which may mean something else by `filter`
    by_filter: dict[str, list[_Line]] = {}
    for line in lines:
        name = line.record.get("filter")
        if isinstance(name, str):
            by_filter.setdefault(name, []).append(line)
    if wanted is None:
        if len(by_filter) > 1:
            names = list(by_filter)
            raise ResultError(
                f"each item occurs once for each filter: {', '.join(names)}; choose one, such as "
                f"`items: {{filter: {names[0]}}}`",
                str(path),
            )
        return lines
    if wanted not in by_filter:
        there = f"there are {', '.join(by_filter)}" if by_filter else "it has no key `filter`"
        raise ResultError(
            f"no item has the filter {pasted(wanted)}{suggestion(wanted, list(by_filter))}; "
            f"{there}",
            str(path),
        )
    return by_filter[wanted]


def _check_classes(path: Path, lines: Sequence[_Line], keys: _Keys) -> None:
    """Refuse predictions none of which is a label, such as probabilities, or names of numbers."""
    prediction, label = keys.classes
    labels = {_class(line.record.get(label)) for line in lines}
    if not any(_class(line.record.get(prediction)) in labels for line in lines):
        one = lines[0].record
        raise fault(
            path,
            lines[0].place,
            f"{pasted(prediction)} is {brief(one.get(prediction))} and {pasted(label)} "
            f"{brief(one.get(label))}, and no prediction in the file is any item's label; name the "
            "key of the predicted class under `prediction`, or that of a score under `score`",
        )


def _are_equal(prediction: Json, label: Json) -> bool:
    return _class(prediction) == _class(label)


def _class(value: Json) -> str | float | None:
    """Return a class such that `3`, `3.0` and "3" are equal; too large numbers are text."""
    text = value.strip() if isinstance(value, str) else text_of(value)
    number = _number(text) if text is not None else None
    return number if isinstance(number, float) and abs(number) < _EXACT else text


def _number(text: Json) -> Json:
    """Return the number, or the boolean, that a cell holds; None if it is empty, else its text."""
    assert isinstance(text, str)  # a cell
    word = text.strip()
    if not word:
        return None
    if word.lower() in _BOOLEANS:
        return _BOOLEANS[word.lower()]
    try:
        return float(word) if "_" not in word else text
    except ValueError:
        return text


def _checked(
    path: Path, line: _Line, key: str, check: Callable[[Json], tuple[str, _Checked]]
) -> tuple[str, _Checked]:
    """Return the kind and the value under a key.

    Raises:
        ResultError: it is missing or wrong; names the line.
    """
    try:
        return check(in_record(line.record, key))
    except ValueError as error:
        raise fault(path, line.place, f"{pasted(key)} {error}") from None


def _present(path: Path, line: _Line, key: str) -> Json:
    value = in_record(line.record, key)
    if value is None or value == "":
        raise fault(path, line.place, f"{pasted(key)} is missing; each item needs one")
    return value


def _check_kind(
    path: Path, line: _Line, key: str, kind: str, kinds: dict[str, tuple[str, str]]
) -> None:
    """Refuse a value that is of another kind than the first one in its place."""
    first, place = kinds.setdefault(key, (kind, line.place))
    if kind != first:
        raise fault(
            path,
            line.place,
            f"{pasted(key)} is {kind}, but {first} in {place}; write all of them alike",
        )


def _has(record: Mapping[str, Json], key: str) -> bool:
    return key in record or in_record(record, key) is not None


def _named(record: Mapping[str, Json]) -> str:
    return listed([pasted(key) for key in record], _LISTED)
