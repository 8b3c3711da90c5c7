"""JSON objects in files as frozen dataclasses: every value is checked when one is read.

A field's annotation says what its value may be: `str`, `int`, `float` (any number), `bool`, a
`StrEnum` or `Literal`, `tuple[T, ...]` for a list, `Mapping[str, T]` for an object with any keys,
another `Record`, a plain dataclass, `Json` for anything, or `T | None`.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import GenericAlias, NoneType, UnionType
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin

from caduceus.io.files import MADE_AGAIN, Json, damaged, read_json, write_json

_ALLOWED = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_SHOWN = 40  # characters of a wrong value


@dataclass(frozen=True)
class Record:
    """A JSON object; its fields are the keys of the file.

    Keys are written in the order in which they were read; those of a new record in the order of the
    fields. A key without a field, such as one of another version of Caduceus, is kept in `unknown`
    and is written back. A missing key takes its field's default; without a default the file is
    damaged.
    """

    unknown: Mapping[str, Json] = field(default_factory=dict, kw_only=True, repr=False)
    key_order: tuple[str, ...] = field(default=(), kw_only=True, repr=False, compare=False)

    mend: ClassVar[str] = MADE_AGAIN  # what mends a damaged file, for the error message
    optional: ClassVar[tuple[str, ...]] = ()  # keys that the file has only if they aren't None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            ResultError: it isn't JSON, or a key is missing or has another type of value.
        """
        value = read_json(path, cls.mend)
        try:
            return cls.from_json(value)
        except ValueError as error:
            raise damaged(path, str(error), cls.mend) from None

    @classmethod
    def read_if_there(cls, path: Path) -> Self | None:
        """Read a file; None if there is none."""
        return cls.read(path) if path.exists() else None

    @classmethod
    def read_list(cls, path: Path) -> list[Self]:
        """Read a file that holds a list of such objects; an empty one if there is no file.

        Raises:
            ResultError: as of `read`.
        """
        value = read_json(path, cls.mend) if path.exists() else []
        try:
            found = _converted(value, GenericAlias(tuple, (cls, ...)), "")
        except ValueError as error:
            raise damaged(path, str(error), cls.mend) from None
        assert isinstance(found, tuple)
        return list(found)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Check a JSON value and convert it.

        Raises:
            ValueError: a key is missing or has another type of value; the message says which.
        """
        found = _converted(value, cls, "")
        assert isinstance(found, cls)
        return found

    def to_json(self) -> dict[str, Json]:
        """Convert the record to a JSON object."""
        return _plain_object(self)

    def write(self, path: Path) -> None:
        """Write the file whole."""
        write_json(path, self.to_json())


@cache
def _fields(kind: Any) -> tuple[Field[Any], ...]:
    return tuple(each for each in fields(kind) if each.name not in ("unknown", "key_order"))


def _converted(value: object, kind: Any, where: str) -> object:
    """Check that `value` is of the type `kind`, and convert lists and objects in it."""
    if kind is Json:
        return value
    base, inside = get_origin(kind), get_args(kind)
    if base in (Union, UnionType):
        if value is None and NoneType in inside:
            return None
        *others, last = (each for each in inside if each is not NoneType)
        for each in others:
            try:
                return _converted(value, each, where)
            except ValueError:
                continue
        return _converted(value, last, where)
    if base is tuple and isinstance(value, list):
        return tuple(
            _converted(item, inside[0], f"{where}[{index}]") for index, item in enumerate(value)
        )
    if isinstance(value, dict):
        if base is Mapping:
            if inside[1] is Json:
                return value
            prefix = where and f"{where}."
            return {key: _converted(of, inside[1], prefix + key) for key, of in value.items()}
        if is_dataclass(kind):
            return _converted_object(value, kind, where)
    if base is Literal and value in inside:
        return value
    if isinstance(kind, type) and issubclass(kind, StrEnum) and value in list(kind):
        return kind(str(value))
    if type(value) is kind or (kind in (int, float) and _is_number(value, kind)):
        return value
    wanted = _wanted(kind)
    raise ValueError(f"{where or 'the file'} is {_shown(value)}, not {wanted}")


def _converted_object(value: dict[str, Any], kind: Any, where: str) -> object:
    prefix = where and f"{where}."
    found = {}
    for each in _fields(kind):
        if each.name in value:
            found[each.name] = _converted(value[each.name], each.type, prefix + each.name)
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ValueError(f"{prefix}{each.name} is missing")
    if issubclass(kind, Record):
        known = {each.name for each in _fields(kind)}
        found["unknown"] = {key: of for key, of in value.items() if key not in known}
        found["key_order"] = tuple(value)
    return kind(**found)


def _is_number(value: object, kind: type) -> bool:
    """Whether JSON Schema takes `value` for an integer or a number, as it takes 1.0 for both."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return kind is float or isinstance(value, int) or value.is_integer()


def _wanted(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return " or ".join(kind)
    if get_origin(kind) is Literal:
        return " or ".join(map(str, get_args(kind)))
    return _ALLOWED.get(kind, "a list" if get_origin(kind) is tuple else "an object")


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _plain(value: object) -> Any:
    if isinstance(value, Record):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return _plain_object(value)
    if isinstance(value, Mapping):
        return {key: _plain(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inside) for inside in value]
    return str(value) if isinstance(value, StrEnum) else value  # YAML writes no subclass of `str`


def _plain_object(record: Any) -> dict[str, Json]:
    kind: Any = type(record)
    found = {each.name: _plain(getattr(record, each.name)) for each in _fields(kind)}
    if isinstance(record, Record):
        for name in record.optional:
            if found[name] is None:
                del found[name]
        found |= record.unknown
        found = {
            key: found[key] for key in dict.fromkeys((*record.key_order, *found)) if key in found
        }
    return found
