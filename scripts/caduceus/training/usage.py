"""The files and packages that a program used, from the notes of the start-up shim.

What ran decides, not what was declared: the notes hold the project's files that the program read,
also those that no static search finds, and the modules that it imported.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypedDict, cast

import caduceus
from caduceus.io.files import sha256
from caduceus.io.phrases import listed
from caduceus.runs import source_code
from caduceus.runs.files.usage import LibraryFile, Usage, UsedFile
from caduceus.runs.used_files import tree_digest

_MOST_BYTES = 1 << 30  # of files that are digested; beyond, a file is listed without a digest
_NAMED = 3  # files in a message
_MOST_FILES = 1000  # that are kept of an attempt, Python's first
_NO_DISTRIBUTION = ("sitecustomize", "caduceus_shim", "cython_runtime")  # the last is of Cython
_INFO = re.compile(r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>[^-]+)(-py[\d.]+)?\.(dist|egg)-info")
_LIBRARY = Path(caduceus.__file__).resolve().parent  # our helpers never decide a run's identity


class _Library(TypedDict):
    path: str
    mtime_ns: int
    size: int


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
    versions: dict[str, str]
    libraries: dict[str, _Library]


def read_usage(
    notes: Path, project: Path, code: Path, data: Path | None, started_at: float
) -> Usage:
    """Read the notes of an attempt.

    Files are left out that the snapshot of the code has with the same bytes, those of the declared
    data and of Caduceus itself, and what the program wrote. A file other than Python's that was
    modified after the start counts as written: C libraries don't report the files that they write.

    Args:
        notes: the folder into which the shim of each process writes.
        project: the project's folder.
        code: the snapshot of the code.
        data: the file or folder of the declared data.
        started_at: when the attempt started, in seconds since 1970.
    """
    read: dict[str, tuple[int, int]] = {}
    written: set[str] = set()
    usage = Usage(code=_snapshot_digest(code))
    packages: dict[str, str] = {}
    modules: dict[str, _Library] = {}
    known: dict[tuple[str, ...], Environment] = {}
    for note in _notes(notes):
        if "path" in note:
            read.setdefault(note["path"], (note["mtime_ns"], note["size"]))
        elif "written" in note:
            written.add(note["written"])
        elif "and_more" in note:
            usage = replace(usage, is_complete=False)
        elif "packages" in note:
            if usage.python is None:
                usage = replace(usage, python=note["python"])
            search_path = tuple(note["search_path"])
            if "versions" in note:
                packages |= note["versions"]
            else:
                environment = known.setdefault(search_path, Environment(search_path))
                packages |= environment.versions(note["packages"])
            modules |= note.get("libraries", {})
    left_out = [_LIBRARY, *([data.resolve()] if data else [])]
    kept = {
        path: status
        for path, status in read.items()
        if path not in written
        and (path.endswith(".py") or status[0] < started_at * 1e9)
        and not any(Path(path).is_relative_to(folder) for folder in left_out)
    }
    files = dict(_used_files(kept, project, source_code.snapshot_content(code)))
    libraries = dict(islice(_libraries(modules, project, started_at), _MOST_FILES))
    return replace(
        usage,
        files=dict(sorted(files.items())),
        is_complete=usage.is_complete and max(len(files), len(libraries)) < _MOST_FILES,
        packages=dict(sorted(packages.items())),
        libraries=libraries,
    )


def imported_modules(notes: Path) -> set[str]:
    """Return the top-level modules that the processes of an attempt have noted as imported."""
    return {name for note in _notes(notes) for name in note.get("packages", ())}


def beyond_the_code(usage: Usage | None) -> Iterator[str]:
    """Yield a line on the files that a program used though they aren't counted as its code."""
    names = [*usage.files] if usage else []
    # Python's first, as the program itself ran them.
    names.sort(key=lambda name: not name.endswith(".py"))
    if names:
        code = sum(name.endswith(".py") for name in names)
        verb = "ran" if code == len(names) else "ran or read" if code else "read"
        which = "which isn't" if len(names) == 1 else "which aren't"
        yield (
            f"{verb} {listed(names, _NAMED)}, {which} counted as its code; add "
            f"{'it' if len(names) == 1 else 'them'} under `code:`, which then lists all of it"
        )
    if usage and usage.libraries:
        verb = "is" if len(usage.libraries) == 1 else "are"
        yield (
            f"ran {listed([*usage.libraries], _NAMED)} from outside of the project, which {verb} "
            "part of its environment: an edit trains nothing, and `caduceus status` lists the run "
            "as behind"
        )
    if usage and not usage.is_complete:
        yield (
            "used files that aren't recorded: there are too many, or it started a Python without "
            "its environment (-I, -E, -S, env=); a change of them trains nothing"
        )


def _notes(folder: Path) -> Iterator[_Note]:
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(errors="replace").splitlines():
            try:
                note = cast(_Note, json.loads(line))
                note.get("path", "").encode()
            except UnicodeEncodeError:  # no JSON file can hold such a name
                yield {"and_more": True}
            except ValueError:  # the process was killed while it wrote
                continue
            else:
                yield note


def _snapshot_digest(code: Path) -> str | None:
    files = [path for path in source_code.snapshot_files(code) if path.is_file()]
    return tree_digest(files, code) if files else None


def _used_files(
    read: Mapping[str, tuple[int, int]], project: Path, snapshot: Mapping[str, Path]
) -> Iterator[tuple[str, UsedFile]]:
    """Yield the files that the snapshot lacks or has with other bytes, Python's first."""
    root, left, kept = project.resolve(), _MOST_BYTES, 0
    for path in sorted(read, key=lambda path: (not path.endswith(".py"), path)):
        mtime_ns, size = read[path]
        name = Path(path).relative_to(root).as_posix()
        digest = _digest(Path(path), mtime_ns, size) if size <= left else None
        left -= size
        if digest and name in snapshot and sha256(snapshot[name]) == digest:
            continue
        if kept == _MOST_FILES:
            return
        kept += 1
        is_python = digest is not None and path.endswith(".py")
        tree = tree_digest([Path(path)], root) if is_python else None
        yield name, UsedFile(mtime_ns, size, digest, tree)


def _libraries(
    modules: Mapping[str, _Library], project: Path, started_at: float
) -> Iterator[tuple[str, LibraryFile]]:
    """Yield the files of modules by name, less those that the program made and removed."""
    for module, note in sorted(modules.items()):
        path, mtime_ns = Path(note["path"]), note["mtime_ns"]
        is_passing = mtime_ns >= started_at * 1e9 and not path.exists()
        is_text = note["path"].isprintable()  # no JSON file can hold a name that isn't UTF-8
        if is_text and not is_passing and not path.is_relative_to(_LIBRARY):
            *packages, last = module.split(".")
            inside = [last] if path.name.startswith("__init__.") else []
            name = "/".join([*packages, *inside, path.name])
            digest = _digest(path, mtime_ns, note["size"])
            place = os.path.relpath(path, project.resolve())
            yield name, LibraryFile(place, mtime_ns, note["size"], digest)


def _digest(path: Path, mtime_ns: int, size: int) -> str | None:
    """Return the sha256 of a file; None if it isn't what it was when it was read."""
    try:
        status = path.stat()
        is_same = (status.st_mtime_ns, status.st_size) == (mtime_ns, size)
        return sha256(path) if is_same else None
    except OSError:  # it is gone
        return None


class Environment:
    """The distributions in the folders of a search path, by the metadata folders there.

    Only names of folders are read, where the name of a distribution is that of its module, and the
    lists of files of the distributions otherwise; `importlib.metadata` takes half a second for an
    environment with torch.
    """

    def __init__(self, search_path: Iterable[str]):
        self._distributions: list[tuple[str, str, Path]] = []  # name, version, metadata folder
        self._of_module: dict[str, tuple[str, str] | None] = {}
        self._contents: dict[Path, bytes] = {}
        self._bare_folders: list[Path] = []  # that hold modules of the project's own
        for folder in map(Path, search_path):
            infos = sorted(folder.glob("*-info")) if folder.is_dir() else []
            for path in infos:
                self._add(path)
            self._bare_folders += [] if infos else [folder]

    def _is_no_distribution(self, module: str) -> bool:
        return (
            module in sys.stdlib_module_names
            or module in _NO_DISTRIBUTION
            or module.startswith("_")
            or any((folder / module).is_dir() for folder in self._bare_folders)
            or any((folder / f"{module}.py").is_file() for folder in self._bare_folders)
        )

    def _add(self, path: Path) -> None:
        if found := distribution(path):
            name, version = found
            self._of_module.setdefault(name.replace("-", "_"), (name, version))
            self._distributions.append((name, version, path))

    def versions(self, modules: Iterable[str]) -> dict[str, str]:
        """The version of each distribution that has one of the top-level modules."""
        wanted = {module for module in modules if not self._is_no_distribution(module)}
        return dict(filter(None, map(self._find, wanted)))

    def _find(self, module: str) -> tuple[str, str] | None:
        key = module.lower()
        if key not in self._of_module:
            last_first = reversed(self._distributions)
            found = ((name, of) for name, of, path in last_first if self._has(path, module))
            self._of_module[key] = next(found, None)
        return self._of_module[key]

    def _has(self, info: Path, module: str) -> bool:
        if info not in self._contents:
            self._contents[info] = _top_level(info)
        lines, name = self._contents[info], module.encode()
        return any(b"\n%b%b" % (name, end) in lines for end in (b"/", b".py,"))


def distribution(info: Path) -> tuple[str, str] | None:
    """Return the name and the version of a distribution by the name of its metadata folder."""
    match = _INFO.fullmatch(info.name)
    return (match["name"].replace("_", "-").lower(), match["version"]) if match else None


def _top_level(info: Path) -> bytes:
    """Return lines that each start with a path in a distribution; a module of it is `NAME/`."""
    if (listed := info / "top_level.txt").is_file():
        return b"".join(b"\n%b/" % name for name in listed.read_bytes().split())
    record = info / "RECORD"
    return b"\n" + record.read_bytes() if record.is_file() else b""
