"""Read YAML files that users write, and find the line of a key for messages."""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from caduceus.errors import SpecError

Key = str | int
_MOST_BYTES = 1_000_000
_MOST_VALUES = 50_000  # reading them takes a second
_DEEPEST = 100
_MOST_DIGITS = 1000  # of a number; Python's time to read one grows as the square of its digits
_NOT_PRINTABLE = yaml.reader.Reader.NON_PRINTABLE
_TAG = "tag:yaml.org,2002:"
# Python raises these for values that have the form of a kind, such as the date 2020-13-45, or a tag
# of it, such as `!!int x`.
_NO_VALUE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
_KINDS = {
    "timestamp": "a date",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
}
_NUMBERS = (f"{_TAG}int", f"{_TAG}float")
# YAML 1.1 takes 010 for octal 8, and 12:30:00 for 45000.
_SURPRISING = re.compile(r"[-+]?(0[0-9_]+|[0-9_]+(:[0-9]+)+(\.[0-9_]*)?)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


class _Loader(yaml.CSafeLoader):
    """YAML 1.1 as W&B reads it, except that `1e-5` is a number and keys are texts.

    A repeated key is an error, and so is a value that can't be made, or a number that isn't the
    one that it looks like.
    """

    name: str  # the file, for messages
    values = 0  # the number of values so far

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        self.values += 1
        if self.values > _MOST_VALUES:
            raise SpecError(f"has more than {_MOST_VALUES:,} values; split it", self.name)
        return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            if len(node.value) > _MOST_DIGITS and node.tag in _NUMBERS:
                raise ValueError("too long")
            value = super().construct_object(node, deep)
        except _NO_VALUE:
            kind = _KINDS.get(node.tag.removeprefix(_TAG), f"a value of {node.tag}")
            raise SpecError(
                f"{shortened(str(node.value))} can't be read as {kind}: put it in quotes",
                _line(self.name, node),
            ) from None
        if node.tag in _NUMBERS and (
            _SURPRISING.fullmatch(node.value) or _is_out_of_range(node.value, value)
        ):
            raise SpecError(
                f"{shortened(node.value)} is the number {shortened(str(value))} in YAML: put it "
                "in quotes, or write that number",
                _line(self.name, node),
            )
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
                continue
            if key.value in seen:
                message = f"duplicate key {shortened(key.value)!r}: remove one"
                raise SpecError(message, _line(self.name, key))
            seen.add(key.value)
        self.flatten_mapping(node)
        return {self._key(key): self.construct_object(value, deep) for key, value in node.value}

    def _key(self, node: yaml.Node) -> str:
        """Return a key as text: a number as the user wrote it.

        JSON, and with it W&B, has no other keys.
        """
        if node.tag in _NUMBERS or isinstance(self.construct_object(node, deep=True), str):
            return str(node.value)
        shown = shortened(str(node.value)) if isinstance(node, yaml.ScalarNode) else "of this line"
        raise SpecError(f"the key {shown} isn't text: put it in quotes", _line(self.name, node))


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(f"^(?:{_NUMBER.pattern})$"), list("-+0123456789.")
)


class _JsonLoader(_Loader):
    """JSON as Python writes it, in which NaN and infinities are bare words."""


_JsonLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile("^(?:NaN|-?Infinity)$"), list("NI-")
)
# By libyaml's message: what to do about its usual cause.
_HINTS = {
    "found character that cannot start any token": "if it is a tab, indent by spaces",
    "did not find expected key": "check the indentation of this line and the one before",
    "mapping values are not allowed in this context": (
        "check the indentation, and put text with a colon in quotes"
    ),
    "but found another document": "a file holds one; remove the line ---",
}


class Source:
    """A parsed YAML file: its `value`, and the position of each part of it in the file."""

    def __init__(self, path: str, value: Any, node: yaml.Node | None):
        self.path = path
        self.value = value
        self._node = node

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it was read from."""
        return (self.path,)

    def find(self, keys: Sequence[Key]) -> yaml.Node | None:
        """Return the node at `keys`, or None if the file has no such key."""
        node = self._node
        for key in keys:
            node = _child(node, key)
            if node is None:
                return None
        return node

    def where(self, keys: Sequence[Key] = ()) -> str:
        """Return `file:line` of `keys`, or of the part of that path that the file has."""
        node, line = self._node, 1
        for key in keys:
            name = _key_node(node, key)
            node = _child(node, key)
            if node is None:
                break
            line = (name or node).start_mark.line + 1
        return f"{self.path}:{line}"


def _key_node(node: yaml.Node | None, key: Key) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((name for name, _ in node.value if name.value == str(key)), None)
    return None


def _child(node: yaml.Node | None, key: Key) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == str(key)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key]  # type: ignore[no-any-return]  # PyYAML's stubs say Any
    return None


def _is_out_of_range(text: str, value: float) -> bool:
    """Whether a number was too large or too small for a float, as 1e400 and 1e-400 are."""
    if value == 0:
        return re.search("[1-9]", re.split("[eE]", text)[0]) is not None
    return isinstance(value, float) and math.isinf(value) and "inf" not in text.lower()


def _line(name: str, node: yaml.Node) -> str:
    return f"{name}:{node.start_mark.line + 1}"


def shortened(text: str) -> str:
    """Return a text cut to at most 60 characters, for a message."""
    return text if len(text) <= 60 else text[:57] + "..."


def _read(path: Path, name: str) -> str:
    """Read a file's text.

    Raises:
        SpecError: it is missing, too large or no text.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise SpecError(
            "no such file; check the name, which is relative to the folder you work in", name
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        reason = error.strerror if isinstance(error, OSError) else error
        raise SpecError(f"can't be read: {reason}", name[:200]) from None
    if len(content) > _MOST_BYTES:
        raise SpecError(f"is larger than {_MOST_BYTES // 1000:,} kB; split it", name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SpecError("isn't UTF-8: save it in that encoding", f"{name}:{line}") from None
    if wrong := _NOT_PRINTABLE.search(text):
        line = text.count("\n", 0, wrong.start()) + 1
        message = f"the character U+{ord(wrong[0]):04X} isn't allowed in YAML: remove it"
        raise SpecError(message, f"{name}:{line}")
    return text


def _check_size(root: yaml.Node, name: str) -> None:
    """Refuse aliases that contain themselves, or that make a small file large.

    Raises:
        SpecError: as said, or the file is nested too deep.
    """
    sizes: dict[int, tuple[int, int]] = {}  # values and levels of each node; (0, 0) while counting
    waiting = [root]
    while waiting:
        node = waiting[-1]
        children = list(_children(node))
        if isinstance(node, yaml.ScalarNode) and "\0" in node.value:
            message = "the character NUL can't be passed to a program or name a file: remove it"
            raise SpecError(message, _line(name, node))
        if id(node) not in sizes:
            sizes[id(node)] = (0, 0)
            waiting += (child for child in children if id(child) not in sizes)
            if any(sizes.get(id(child)) == (0, 0) for child in children):
                raise SpecError("an alias contains itself: remove it", _line(name, node))
            continue
        waiting.pop()
        if sizes[id(node)] != (0, 0):
            continue
        below = [sizes[id(child)] for child in children]
        values = 1 + sum(size for size, _ in below)
        depth = 1 + max((levels for _, levels in below), default=0)
        if values > _MOST_VALUES:
            message = f"aliases make this more than {_MOST_VALUES:,} values; use fewer"
            raise SpecError(message, _line(name, node))
        if depth > _DEEPEST:
            raise SpecError(f"is nested more than {_DEEPEST} levels deep", _line(name, node))
        sizes[id(node)] = (values, depth)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def load(path: Path, name: str | None = None) -> Source:
    """Parse the YAML file at `path`.

    Args:
        path: the file.
        name: its name in messages; by default the path.

    Raises:
        SpecError: the file is missing or isn't YAML, has a key twice, or has a value that can't be
            made.
    """
    name = name or str(path)
    text = _read(path, name)
    loader = (_JsonLoader if path.suffix == ".json" else _Loader)(text)
    loader.name = name
    try:
        node = loader.get_single_node()
        if node is not None:
            _check_size(node, name)
        value = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        hint = _HINTS.get(str(error.problem))
        raise SpecError(
            f"not YAML: {str(error.problem)[:200]}{f'; {hint}' if hint else ''}",
            f"{name}:{mark.line + 1 if mark else 1}",
        ) from None
    except yaml.YAMLError as error:
        raise SpecError(f"not YAML: {error}", name) from None
    finally:
        loader.dispose()
    return Source(name, value, node)


def as_number(value: Any) -> Any:
    """Return `value` with every text such as "1e-5" or "-.5" converted to a number.

    Snakemake reads config.yaml by plain PyYAML, which takes these for text. Other texts that look
    like numbers were quoted by the user, and stay texts. Numbers that are keys become texts.
    """
    if isinstance(value, dict):
        return {
            str(key) if type(key) in (int, float) else key: as_number(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [as_number(item) for item in value]
    if isinstance(value, str) and re.search(r"[eE]|^[-+]\.", value) and _NUMBER.fullmatch(value):
        return float(value)
    return value
