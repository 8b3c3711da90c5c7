"""Read YAML files that users write, and find the line of a key for messages."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from caduceus.errors import SpecError

Key = str | int
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


class _Loader(yaml.CSafeLoader):
    """YAML 1.1 as W&B reads it, except that `1e-5` is a number and a repeated key is an error."""

    name: str  # the file, for messages

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for index, key in enumerate(keys):
            if key != "<<" and key in keys[:index]:
                line = node.value[index][0].start_mark.line + 1
                raise SpecError(f"duplicate key {key!r}: remove one", f"{self.name}:{line}")
        return super().construct_mapping(node, deep)


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
}


class Source:
    """A parsed YAML file: its `value`, and the position of each part of it in the file."""

    def __init__(self, path: str, value: Any, node: yaml.Node | None):
        self.path = path
        self.value = value
        self._node = node

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


def load(path: Path, name: str | None = None) -> Source:
    """Parse the YAML file at `path`.

    Args:
        path: the file.
        name: its name in messages; by default the path.

    Raises:
        SpecError: the file is missing, isn't YAML, or has a key twice.
    """
    name = name or str(path)
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise SpecError(
            "no such file: check the name, which is relative to the folder you work in", name
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"can't be read: {error}", name) from None
    loader = (_JsonLoader if path.suffix == ".json" else _Loader)(text)
    loader.name = name
    try:
        node = loader.get_single_node()
        value = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        hint = _HINTS.get(str(error.problem))
        raise SpecError(
            f"not YAML: {error.problem}{f'; {hint}' if hint else ''}",
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
    like numbers were quoted by the user, and stay texts.
    """
    if isinstance(value, dict):
        return {key: as_number(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_number(item) for item in value]
    if isinstance(value, str) and re.search(r"[eE]|^[-+]\.", value) and _NUMBER.fullmatch(value):
        return float(value)
    return value
