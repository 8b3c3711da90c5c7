"""JSON objects in files as frozen dataclasses: every value is checked when one is read.

A field's annotation says what its value may be: `str`, `int`, `float` (any number), `bool`, a
`StrEnum` or `Literal`, `tuple[T, ...]` for a list, `Mapping[str, T]` for an object with any keys,
another `Record`, a plain dataclass, `Json` for anything, or `T | None`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import GenericAlias, NoneType, UnionType
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin

from caduceus.io.files import MADE_AGAIN, Json, damaged, read_json, write_json

_ALLOWED = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_PLAIN = {str, int, float, bool}
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
            found = _converter(GenericAlias(tuple, (cls, ...)))(value)
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
        kind: Any = cls
        found = _converter(kind)(value)
        assert isinstance(found, cls)
        return found

    def to_json(self) -> dict[str, Json]:
        """Convert the record to a JSON object."""
        return _plain_object(self)

    def write(self, path: Path) -> None:
        """Write the file whole."""
        write_json(path, self.to_json())


class _MismatchError(ValueError):
    """A value has another type than its field; `steps` lead to it, the innermost one first."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.steps: list[str] = []

    def __str__(self) -> str:
        place = "".join(reversed(self.steps)).removeprefix(".")
        return f"{place or 'the file'} {self.what}"


_Converter = Callable[[object], object]


@cache
def _fields(kind: Any) -> tuple[Field[Any], ...]:
    return tuple(each for each in fields(kind) if each.name not in ("unknown", "key_order"))


@cache
def _converter(kind: Any) -> _Converter:
    """Return a function that checks a value for the type `kind`, and converts what is in it.

    What the annotations say is looked up once for each type: thousands of files are read at a time.
    The function raises a `_MismatchError`.
    """
    if kind == Json:
        return lambda value: value
    base, inside = get_origin(kind), get_args(kind)
    if base in (Union, UnionType):
        return _of_several([_converter(each) for each in inside if each is not NoneType], inside)
    if base is tuple:
        return _of_list(_converter(inside[0]), kind)
    if base is Mapping:
        return _of_mapping(None if inside[1] == Json else _converter(inside[1]), kind)
    if is_dataclass(kind):
        return _of_object(kind)
    return _of_value(kind, inside)


def _of_several(others: Sequence[_Converter], inside: Sequence[Any]) -> _Converter:
    *first, last = others
    takes_none = NoneType in inside

    def convert(value: object) -> object:
        if value is None and takes_none:
            return None
        for each in first:
            try:
                return each(value)
            except _MismatchError:
                continue
        return last(value)

    return convert


def _of_list(item: _Converter, kind: Any) -> _Converter:
    def convert(value: object) -> object:
        if not isinstance(value, list):
            raise _mismatch(value, kind)
        found: list[object] = []
        try:
            for each in value:
                found.append(item(each))
        except _MismatchError as error:
            error.steps.append(f"[{len(found)}]")
            raise
        return tuple(found)

    return convert


def _of_mapping(item: _Converter | None, kind: Any) -> _Converter:
    def convert(value: object) -> object:
        if not isinstance(value, dict):
            raise _mismatch(value, kind)
        if item is None:
            return value
        key, found = "", dict[str, object]()
        try:
            for key, each in value.items():
                found[key] = item(each)
        except _MismatchError as error:
            error.steps.append(f".{key}")
            raise
        return found

    return convert


def _of_object(kind: Any) -> _Converter:
    types: dict[str, Any] = {each.name: each.type for each in _fields(kind)}
    converters = {name: _converter(each) for name, each in types.items()}
    needed = {
        each.name
        for each in _fields(kind)
        if each.default is MISSING and each.default_factory is MISSING
    }
    is_record = issubclass(kind, Record)

    def convert(value: object) -> object:
        if not isinstance(value, dict):
            raise _mismatch(value, kind)
        found, name = dict[str, object](), ""
        try:
            for name, item in converters.items():
                if name in value:
                    found[name] = item(value[name])
                elif name in needed:
                    raise _MismatchError("is missing")
        except _MismatchError as error:
            error.steps.append(f".{name}")
            raise
        if is_record:
            rest = value.keys() - converters.keys()
            found["unknown"] = {key: value[key] for key in value if key in rest} if rest else {}
            found["key_order"] = tuple(value)
        return kind(**found)

    return convert


def _of_value(kind: Any, inside: Sequence[Any]) -> _Converter:
    """Return the function for a type without parts: text, numbers, and words of an enumeration."""
    words = list(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else []
    is_literal, is_number = get_origin(kind) is Literal, kind in (int, float)

    def convert(value: object) -> object:
        if type(value) is kind or (is_number and _is_number(value, kind)):
            return value
        if is_literal and value in inside:
            return value
        if words and value in words:
            return kind(str(value))
        raise _mismatch(value, kind)

    return convert


def _mismatch(value: object, kind: Any) -> _MismatchError:
    return _MismatchError(f"is {_shown(value)}, not {_wanted(kind)}")


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
    if value is None or type(value) in _PLAIN:
        return value
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
