"""The fields of JSON records that name people, machines and places."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

# Kinds of names by the key of a record, ours or W&B's.
FIELDS = {
    **dict.fromkeys(("host", "hosts", "hostname"), "host"),
    **dict.fromkeys(("username", "user"), "user"),
    **dict.fromkeys(("remote", "repository"), "remote"),
    **dict.fromkeys(("commit", "git_commit", "last_commit"), "commit"),
    **dict.fromkeys(("gpus", "uuid"), "gpu"),
    **dict.fromkeys(("root", "scratch"), "folder"),
    "email": "email",
    "entity": "entity",
    "place": "place",
}
# Keys below which programs and users choose the names.
_FREE = frozenset(
    ("config", "parameters", "summary", "metadata", "defined_metrics", "told", "known", "bands")
)


def named(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the kind and text of each name in a record."""
    found: list[tuple[str, str]] = []

    def note(kind: str, text: str) -> str:
        found.append((kind, text))
        return text

    renamed(value, note)
    yield from found


def renamed(value: Any, instead: Callable[[str, str], str]) -> Any:
    """Return a record with other names.

    Args:
        value: the record, or a part of it.
        instead: called with the kind and text of each name, returns the other one.
    """
    if isinstance(value, list):
        return [renamed(each, instead) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: of
        if key in _FREE
        else _of_field(FIELDS[key], of, instead)
        if key in FIELDS
        else renamed(of, instead)
        for key, of in value.items()
    }


def _of_field(kind: str, value: Any, instead: Callable[[str, str], str]) -> Any:
    if isinstance(value, str):
        return instead(kind, value) if value else value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [instead(kind, each) for each in value]
    return renamed(value, instead)
