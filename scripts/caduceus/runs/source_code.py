"""The source files of a program: which they are, what they say, and a snapshot of them.

A digest covers what the code does, not how it is laid out: Python files count by their syntax
tree, so comments and formatting are free, and the same code gives the same digest under every
Python version. Docstrings count, since programs may read them.
"""

import ast
import contextlib
import functools
import hashlib
import itertools
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from caduceus.errors import SpecError
from caduceus.io.files import read_json, write_json
from caduceus.runs.package_roots import package_roots

_LOOKED_AT = 1000  # files of a folder; more would take long on a network file system

CodeSpec = Sequence[str] | str | int | None  # `code` of an experiment


def code_files(program: Path, code: CodeSpec, root: Path) -> list[Path]:
    """The files of the program's code: those that patterns match, or else what it imports."""
    if code is None or isinstance(code, str | int):
        return program_files(program, root)
    return sorted({program, *matching_files(code, root)})


def code_identity(files: Sequence[Path], code: CodeSpec, root: Path) -> str:
    """What the code is in a run's definition: its digest, or the version that stands for it."""
    if isinstance(code, str | int):
        return f"version {code}"
    return digest(files, root)


def program_files(program: Path, root: Path) -> list[Path]:
    """`program` and the local modules it imports, directly or through others, sorted.

    Modules are looked for where Python finds them when the program is started: beside the
    program, below `root`, in the folders of PYTHONPATH that lie below `root`, and in the project's
    own packages (`package_roots`). What is imported by a computed name isn't seen: `code` in the
    experiment names such files.

    Raises:
        SpecError: a file can't be read or isn't Python.
    """
    search = [program.parent, root]
    for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        place = Path(entry).resolve()
        if entry and place.is_relative_to(root.resolve()):
            search.append(root / place.relative_to(root.resolve()))
    search += package_roots(root)
    found = {program}
    waiting = [program]
    while waiting:
        path = waiting.pop()
        if path.suffix != ".py":
            continue
        for module in _imports(path, search, root):
            if module not in found:
                found.add(module)
                waiting.append(module)
    return sorted(found)


def matching_files(patterns: Iterable[str], root: Path) -> list[Path]:
    """Every file below `root` that matches one of the patterns, sorted.

    What is hidden or lies in results/ isn't code: environments, snapshots of earlier runs.

    Raises:
        ValueError: a pattern isn't one.
    """
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return sorted(path for path in found if not _is_passed_over(path.relative_to(root)))


def _is_passed_over(path: Path) -> bool:
    return path.parts[0] == "results" or any(part.startswith(".") for part in path.parts)


def digest(files: Iterable[Path], root: Path) -> str:
    """The sha256 of what `files` say, with their paths relative to `root`, in hex."""
    total = hashlib.sha256()
    for path in files:
        name = os.path.relpath(path, root)
        content = _read(path).text if path.suffix == ".py" else path.read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def snapshot(files: Sequence[Path], root: Path, folder: Path, linked: Path | None) -> None:
    """Copy `files` into `folder` under their paths below `root`, and link the entries of `linked`.

    A program started in `folder` then finds all it would find in the project that is `linked`, but
    its own code is as it was now. Links are relative, so that the project can be moved. What a
    program has left in an earlier snapshot, such as a checkpoint, stays; `snapshot_files` says
    which files are code.
    """
    for old in snapshot_files(folder):
        old.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted({Path(os.path.relpath(path, root)) for path in files})
    write_json(_list_of(folder), [name.as_posix() for name in names])
    for path in names:
        _make_real(folder, path.parent)
        (folder / path).unlink(missing_ok=True)  # a link, if it wasn't code before
        shutil.copy2(root / path, folder / path)
    if linked is not None:
        link_entries(linked, folder)


def _make_real(folder: Path, inside: Path) -> None:
    """Make folders, also where links to the project's own are."""
    for part in [*reversed(inside.parents), inside]:
        if (folder / part).is_symlink():
            (folder / part).unlink()
        (folder / part).mkdir(exist_ok=True)


def snapshot_files(folder: Path) -> list[Path]:
    """The files of a snapshot that are code."""
    known = _list_of(folder)
    return [folder / name for name in read_json(known)] if known.exists() else []


def snapshot_content(folder: Path) -> dict[str, Path]:
    """The same files, as far as the program has left them, by their paths in the project."""
    files = (path for path in snapshot_files(folder) if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in files}


def _list_of(folder: Path) -> Path:
    return folder.with_suffix(".json")


def link_entries(root: Path, folder: Path) -> None:
    """Link what `root` has and the snapshot in `folder` lacks, such as data made since."""
    for base, _, _ in os.walk(folder):
        inside = Path(base).relative_to(folder)
        for entry in (root / inside).iterdir() if (root / inside).is_dir() else ():
            target = folder / inside / entry.name
            if not target.exists():
                target.unlink(missing_ok=True)  # a link to what has gone
                target.symlink_to(os.path.relpath(entry, target.parent))


def written_links(root: Path, folder: Path, since: str) -> list[str]:
    """The folders of `root` that the snapshot in `folder` is linked to and that were written to.

    Only what lies at the top of each tells, and of a folder with many files the first of them.

    Args:
        root: the project.
        folder: the snapshot.
        since: as ISO 8601.
    """
    begun = datetime.fromisoformat(since).timestamp()
    found = []
    for entry in sorted(folder.iterdir()):
        is_own = entry.name.startswith(".") or entry.name == "results"
        if is_own or not entry.is_symlink() or not (root / entry.name).is_dir():
            continue
        with contextlib.suppress(OSError):  # it may not be read, or somebody deletes files there
            inside = itertools.islice((root / entry.name).iterdir(), _LOOKED_AT)
            paths = [path for path in (root / entry.name, *inside) if path.exists()]
            if any(path.stat().st_mtime >= begun for path in paths):
                found.append(entry.name)
    return found


def snapshot_path(python_path: str, root: Path, folder: Path) -> str:
    """PYTHONPATH with its folders below `root` replaced by those of the snapshot in `folder`."""
    entries = []
    for entry in python_path.split(os.pathsep):
        path = Path(entry).resolve()
        if entry and path.is_relative_to(root.resolve()):
            entry = str(folder.absolute() / path.relative_to(root.resolve()))
        entries.append(entry)
    return os.pathsep.join(entries)


class _Module(NamedTuple):
    text: bytes  # of its syntax tree, the same for every layout and Python version
    imports: list[tuple[int, str]]  # how many folders up from it, and the dotted name


def _read(path: Path) -> _Module:
    try:
        return _understand(path.read_bytes())
    except SyntaxError as error:
        raise SpecError(f"not Python: {error.msg}", f"{path}:{error.lineno}") from None
    except (OSError, ValueError) as error:
        raise SpecError(f"can't be read: {error}", str(path)) from None


@functools.cache  # the commands of Caduceus share most of their modules
def _understand(code: bytes) -> _Module:
    parts: list[str] = []
    imports: list[tuple[int, str]] = []
    _write_node(ast.parse(code), parts, imports)
    return _Module("".join(parts).encode(), imports)


def _imports(path: Path, search: Sequence[Path], root: Path) -> Iterator[Path]:
    """The files of the local modules that the module at `path` imports."""
    for level, name in _read(path).imports:
        if level > len(path.parents):  # it leads out of the project
            continue
        if level:
            yield from package_files(path.parents[level - 1], root)
        places = [path.parents[level - 1]] if level else search
        yield from _resolve(name.split("."), places)


def package_files(folder: Path, root: Path) -> Iterator[Path]:
    """The `__init__.py` of the package in `folder`, and of those that it lies in, below `root`."""
    while folder != root and (folder / "__init__.py").is_file():
        yield folder / "__init__.py"
        folder = folder.parent


def _resolve(parts: Sequence[str], search: Sequence[Path]) -> Iterator[Path]:
    """The files that importing `parts` runs, from the first place that has the module.

    The last part may be a name inside the module rather than a module.
    """
    for place in search:
        files = list(_files_along(parts, place))
        if files:
            yield from files
            return


def _files_along(parts: Sequence[str], place: Path) -> Iterator[Path]:
    folder = place
    for part in parts:
        module = folder / f"{part}.py"
        folder = folder / part
        if (folder / "__init__.py").is_file():
            yield folder / "__init__.py"
        elif module.is_file():
            yield module
            return
        elif not folder.is_dir():
            return


def _write_node(node: object, parts: list[str], imports: list[tuple[int, str]]) -> None:
    # Empty fields are left out: which of them exist differs between Python versions.
    if isinstance(node, ast.AST):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports += _names(node)
        parts.append(f"{type(node).__name__}(")
        for field in node._fields:
            value = getattr(node, field, None)
            if value is None and not (isinstance(node, ast.Constant) and field == "value"):
                continue
            if value == [] or field in ("kind", "type_comment", "ctx"):
                continue
            if isinstance(node, ast.JoinedStr):  # Python 3.12 ends format specs with empty texts
                value = [part for part in value or () if getattr(part, "value", None) != ""]
            parts.append(f"{field}=")
            _write_node(value, parts, imports)
        parts.append(")")
    elif isinstance(node, list):
        parts.append("[")
        for item in node:
            _write_node(item, parts, imports)
            parts.append(",")
        parts.append("]")
    else:
        parts.append(ascii(node))  # repr() depends on Python's table of printable characters


def _names(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[int, str]]:
    """What a statement imports; of a name from a module, whichever of the two is the module."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield 0, alias.name
        else:
            yield node.level, f"{node.module}.{alias.name}" if node.module else alias.name
