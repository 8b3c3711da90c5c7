"""Compose a YAML file from base files that it names under `extends`, value by value.

The bases are laid over one another in their order, and the file over them. A mapping is merged key
by key; any other value, a list too, replaces the one below it. `remove` names values of the bases
that the file doesn't take over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from caduceus.errors import SpecError
from caduceus.io.files import is_file
from caduceus.io.validation import brief, dotted, suggestion
from caduceus.io.yaml_files import Key, Source, load

EXTENDS, REMOVE = "extends", "remove"


@dataclass
class _Part:
    """A value with the file that it came from; of a mapping each value is a part of its own."""

    value: Any
    source: Source
    inside: dict[str, "_Part"] | None = field(init=False)

    def __post_init__(self) -> None:
        is_mapping = isinstance(self.value, dict)
        self.inside = (
            {key: _Part(item, self.source) for key, item in self.value.items()}
            if is_mapping
            else None
        )

    def lay_over(self, other: "_Part") -> None:
        """Merge `other` into this part: its values replace those here, and mappings are merged."""
        self.source = other.source
        if self.inside is None or other.inside is None:
            self.value, self.inside = other.value, other.inside
            return
        for key, part in other.inside.items():
            if key in self.inside:
                self.inside[key].lay_over(part)
            else:
                self.inside[key] = part

    def plain(self) -> Any:
        """Return the value alone."""
        if self.inside is None:
            return self.value
        return {key: part.plain() for key, part in self.inside.items()}


class ComposedSource(Source):
    """A file laid over its bases; messages name the file and line that a value came from."""

    def __init__(self, path: str, whole: _Part, files: Sequence[str]):
        super().__init__(path, whole.plain(), None)
        self._whole = whole
        self._files = tuple(files)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it was read from: itself first, then its bases."""
        return self._files

    def find(self, keys: Sequence[Key]) -> yaml.Node | None:
        """Return the node at `keys` in the file that it came from, or None."""
        part, depth = self._part(keys)
        if part.inside is not None and depth < len(keys):
            return None
        return part.source.find(keys)

    def where(self, keys: Sequence[Key] = ()) -> str:
        """Return `file:line` of `keys`, or of the part of that path that there is."""
        return self._part(keys)[0].source.where(keys)

    def _part(self, keys: Sequence[Key]) -> tuple[_Part, int]:
        part = self._whole
        for depth, key in enumerate(keys):
            if part.inside is None or key not in part.inside:
                return part, depth
            part = part.inside[str(key)]
        return part, len(keys)


def leaves(value: Any, above: Sequence[Key] = ()) -> Iterator[tuple[tuple[Key, ...], Any]]:
    """Yield each value in `value` that isn't a mapping with values, with its keys, in order."""
    if not isinstance(value, dict) or not value:
        yield tuple(above), value
        return
    for key, item in value.items():
        yield from leaves(item, (*above, key))


def compose(path: str, root: Path) -> Source:
    """Read a YAML file, and lay it over its bases if it has any.

    Args:
        path: the file, relative to `root`.
        root: the folder that the paths under `extends` start from.

    Returns:
        The file; its value has neither `extends` nor `remove`.

    Raises:
        SpecError: a file is missing or isn't YAML, a base isn't a mapping or extends itself, or
            `remove` names what no base has.
    """
    source = load(root / path, path)
    if not isinstance(source.value, dict) or not {EXTENDS, REMOVE} & source.value.keys():
        return source
    files: list[str] = []
    whole = _composed(source, root, (), files)
    return ComposedSource(path, whole, files)


def _composed(source: Source, root: Path, above: tuple[str, ...], files: list[str]) -> _Part:
    """Return a file laid over its bases, and add its path and theirs to `files`."""
    if source.path not in files:
        files.append(source.path)
    own = {key: item for key, item in source.value.items() if key not in (EXTENDS, REMOVE)}
    below = _Part({}, source)
    for keys, name in _listed(source, EXTENDS, "the path of a file, or a list of them"):
        if not is_file(root / name):
            raise SpecError(
                f"{dotted(keys)}: {name} doesn't exist; give its path from the folder you work in",
                source.where(keys),
            )
        if name in (*above, source.path):
            chain = " extends ".join([*above, source.path, name])
            raise SpecError(f"{dotted(keys)}: {chain}; remove one", source.where(keys))
        base = load(root / name, name)
        if not isinstance(base.value, dict):
            raise SpecError(
                f"{dotted(keys)}: {name} holds {brief(base.value)}, allowed: a mapping, as in an "
                "experiment file",
                source.where(keys),
            )
        below.lay_over(_composed(base, root, (*above, source.path), files))
    for keys, name in _listed(source, REMOVE, "the names of values, such as parameters.dropout"):
        if not _remove(below, name):
            names = [dotted(found) for found, _ in leaves(below.plain()) if found]
            raise SpecError(
                f"{dotted(keys)}: no file under `extends` has {brief(name)}"
                f"{suggestion(name, names)}",
                source.where(keys),
            )
    below.lay_over(_Part(own, source))
    return below


def _listed(source: Source, key: str, allowed: str) -> list[tuple[list[Key], str]]:
    """Return the texts under a key, each with its place in the file.

    Raises:
        SpecError: it holds something else.
    """
    found = source.value.get(key, [])
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise SpecError(f"{key}: found {brief(found)}, allowed: {allowed}", source.where([key]))
    return [([key] if found is item else [key, i], item) for i, item in enumerate(listed)]


def _remove(part: _Part, name: str) -> bool:
    """Remove the value whose keys, joined by dots, are `name`; return whether there was one."""
    inside = part.inside or {}
    if name in inside:
        del inside[name]
        return True
    return any(
        _remove(below, name[len(key) + 1 :])
        for key, below in inside.items()
        if name.startswith(f"{key}.")
    )
