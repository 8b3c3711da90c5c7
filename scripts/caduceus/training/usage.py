"""The files and packages that a program used, from the notes of the start-up shim.

What ran decides, not what was declared: the notes hold the project's files that the program read,
also those that no static search finds, and the modules that it imported.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

from caduceus.io.files import sha256

_MOST_BYTES = 1 << 30  # of files that are digested; beyond, a file is listed without a digest
_SHIM = ("sitecustomize", "caduceus_shim")
_INFO = re.compile(r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>[^-]+)(-py[\d.]+)?\.(dist|egg)-info")


class _Note(TypedDict, total=False):
    """A line of the shim's notes: see training/shim/caduceus_shim/used_files.py."""

    path: str
    mtime_ns: int
    size: int
    written: str
    and_more: bool
    packages: list[str]
    python: str
    search_path: list[str]


@dataclass(frozen=True)
class Usage:
    """The files and packages that the processes of an attempt used.

    Attributes:
        files: by path in the project, the sha256 of each file as it was read; None for one that
            has changed since it was read, and for those beyond 1 GiB.
        is_complete: False if a process read more files than are noted.
        python: the version of the interpreter; None if there are no notes.
        packages: by name, the version of each distribution that was imported.
    """

    files: Mapping[str, str | None]
    is_complete: bool
    python: str | None
    packages: Mapping[str, str]


def read_usage(notes: Path, project: Path) -> Usage:
    """Read the notes of an attempt.

    Files that the program wrote itself are left out.

    Args:
        notes: the folder into which the shim of each process writes.
        project: the project's folder.
    """
    read: dict[str, tuple[int, int]] = {}
    written: set[str] = set()
    is_complete, python = True, None
    packages: dict[str, str] = {}
    known: dict[tuple[str, ...], _Environment] = {}
    for note in _notes(notes):
        if "path" in note:
            read.setdefault(note["path"], (note["mtime_ns"], note["size"]))
        elif "written" in note:
            written.add(note["written"])
        elif "and_more" in note:
            is_complete = False
        elif "packages" in note:
            python = python or note["python"]
            search_path = tuple(note["search_path"])
            environment = known.setdefault(search_path, _Environment(search_path))
            packages |= environment.versions(note["packages"])
    files = dict(_digests({path: read[path] for path in read if path not in written}, project))
    return Usage(files, is_complete, python, dict(sorted(packages.items())))


def _notes(folder: Path) -> Iterator[_Note]:
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(errors="replace").splitlines():
            try:
                yield cast(_Note, json.loads(line))
            except ValueError:  # the process was killed while it wrote
                continue


def _digests(
    read: Mapping[str, tuple[int, int]], project: Path
) -> Iterator[tuple[str, str | None]]:
    root, left = project.resolve(), _MOST_BYTES
    for name, (mtime_ns, size) in sorted(read.items()):
        path = Path(name)
        try:
            status = path.stat()
            is_same = (status.st_mtime_ns, status.st_size) == (mtime_ns, size)
            digest = sha256(path) if is_same and size <= left else None
        except OSError:  # it is gone
            digest = None
        left -= size
        yield path.relative_to(root).as_posix(), digest


class _Environment:
    """The distributions in the folders of a search path, by the metadata folders there.

    Only names of folders are read, where the name of a distribution is that of its module, which
    takes a millisecond; `importlib.metadata` takes half a second for an environment with torch.
    """

    def __init__(self, search_path: Iterable[str]):
        self._unnamed: list[tuple[str, str, Path]] = []  # whose modules are not looked up yet
        self._of_module: dict[str, tuple[str, str]] = {}
        self._bare_folders: list[Path] = []  # that hold modules of the project's own
        for folder in map(Path, search_path):
            infos = sorted(folder.glob("*-info")) if folder.is_dir() else []
            for path in infos:
                self._add(path)
            self._bare_folders += [] if infos else [folder]

    def _is_no_distribution(self, module: str) -> bool:
        return (
            module in sys.stdlib_module_names
            or module in _SHIM
            or module.startswith("_")
            or any((folder / module).is_dir() for folder in self._bare_folders)
            or any((folder / f"{module}.py").is_file() for folder in self._bare_folders)
        )

    def _add(self, path: Path) -> None:
        if match := _INFO.fullmatch(path.name):
            name, version = match["name"].replace("_", "-").lower(), match["version"]
            self._of_module.setdefault(name.replace("-", "_"), (name, version))
            self._unnamed.append((name, version, path))

    def versions(self, modules: Iterable[str]) -> dict[str, str]:
        """The version of each distribution that has one of the top-level modules."""
        wanted = {module for module in modules if not self._is_no_distribution(module)}
        while self._unnamed and any(module.lower() not in self._of_module for module in wanted):
            name, version, path = self._unnamed.pop()
            for module in _top_level(path):
                self._of_module.setdefault(module.lower(), (name, version))
        found = (self._of_module.get(module.lower()) for module in wanted)
        return dict(filter(None, found))


def _top_level(info: Path) -> set[str]:
    """The top-level modules of a distribution."""
    listed = info / "top_level.txt"
    if listed.is_file():
        return set(listed.read_text().split())
    record = info / "RECORD"
    if not record.is_file():
        return set()
    paths = (line.partition(",")[0] for line in record.read_text().splitlines())
    parts = {path.partition("/")[0] for path in paths}
    return {part.removesuffix(".py") for part in parts if part.isidentifier() or part[-3:] == ".py"}
