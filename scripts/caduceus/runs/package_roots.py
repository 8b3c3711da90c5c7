"""The folders of a project in which Python finds packages that are installed from it.

`pip install --editable .` lets Python import from `src/`, or from the folder of a library inside
the project. The folders are found by the files of the project, not by what is installed: a run then
has the same id on every machine.
"""

import os
from collections.abc import Iterator
from pathlib import Path

_MARKS = ("pyproject.toml", "setup.py", "setup.cfg")
_SUBMODULES = ".gitmodules"
_DEPTH = 3  # of folders below the project's, such as libs/vision/python
_MOST_ENTRIES = 1000  # a folder with more holds data
_NO_CODE = ("results", "node_modules", "site-packages", "__pycache__")


def package_roots(root: Path) -> tuple[Path, ...]:
    """The project's `src/` and, of each library in the project, its folder and its `src/`.

    A library is a folder with a pyproject.toml, setup.py or setup.cfg, at most three folders below
    `root`, or a git submodule.
    """
    libraries = [*_libraries(root, _DEPTH), *_submodules(root)]
    found = [root / "src"]
    for library in dict.fromkeys(libraries):
        found += [library, library / "src"]
    return tuple(path for path in found if path.is_dir())


def package_marks(root: Path) -> list[Path]:
    """Return the files by which `package_roots` finds the libraries of a project."""
    marks = [path / mark for path in _libraries(root, _DEPTH) for mark in _MARKS]
    return [path for path in (*marks, root / _SUBMODULES) if path.is_file()]


def _libraries(folder: Path, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            listed = [entry for entry, _ in zip(entries, range(_MOST_ENTRIES + 1), strict=False)]
    except OSError:  # somebody else's folder
        return
    if len(listed) > _MOST_ENTRIES:
        return
    for entry in sorted(listed, key=lambda entry: entry.name):
        is_code = not entry.name.startswith(".") and entry.name not in _NO_CODE
        if not is_code or not entry.is_dir(follow_symlinks=False):
            continue
        path = folder / entry.name
        if (path / "pyvenv.cfg").exists():  # an environment
            continue
        if any((path / mark).is_file() for mark in _MARKS):
            yield path
        if depth > 1:
            yield from _libraries(path, depth - 1)


def _submodules(root: Path) -> Iterator[Path]:
    listed = root / _SUBMODULES
    if listed.is_file():
        for line in listed.read_text(errors="replace").splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "path":
                yield root / value.strip()
