"""The source files of a program: how they are found, their digest, and a snapshot of them.

The digest of a Python file is that of its syntax tree, so that comments and formatting don't count,
and the same code has the same digest under every Python version. Docstrings count, as programs may
read them.
"""

import ast
import functools
import hashlib
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from caduceus.errors import SpecError
from caduceus.io.copies import copy_file
from caduceus.io.files import Json, read_json, write_json
from caduceus.io.patterns import matching_paths
from caduceus.runs.package_roots import package_roots

CodeSpec = Sequence[str] | str | int | None  # `code` of an experiment


def code_files(
    program: Path, code: CodeSpec, root: Path, command: Sequence[Json] = ()
) -> list[Path]:
    """Return the files of the program's code: those that match patterns, else what it imports.

    Args:
        program: the program, below `root`.
        code: `code` of the experiment.
        root: the project's folder.
        command: the words of the command line; `-m` runs the `__init__.py` of the packages around
            the program too.
    """
    if code is None or isinstance(code, str | int):
        return program_files(program, root, _is_module(program, command))
    return sorted({program, *matching_files(code, root)})


def code_identity(files: Sequence[Path], code: CodeSpec, root: Path) -> str:
    """Return the code in a run's definition: its digest, or the version that the user raises."""
    if isinstance(code, str | int):
        return f"version {code}"
    return digest(files, root)


def _is_module(program: Path, command: Sequence[Json]) -> bool:
    """Whether a command line starts the program by `-m` and its name in a package."""
    words = " ".join(word for word in command if isinstance(word, str)).split()
    names = [name for option, name in itertools.pairwise(words) if option == "-m"]
    parts = program.with_suffix("").parts
    return any(
        tuple(name.split(".")) == parts[-name.count(".") - 1 :]
        or (*name.split("."), "__main__") == parts[-name.count(".") - 2 :]
        for name in names
    )


def program_files(program: Path, root: Path, is_module: bool = False) -> list[Path]:
    """Return `program` and the local modules it imports, directly or through others, sorted.

    Modules are searched where Python finds them when the program is started: beside the program,
    below `root`, in the folders of PYTHONPATH below `root`, and in the project's own packages
    (`package_roots`). Imports by a computed name aren't found: `code` in the experiment lists such
    files.

    Args:
        program: the program, below `root`.
        root: the project's folder.
        is_module: whether it is started as a module of its package, by `python -m`.

    Raises:
        SpecError: a file can't be read or isn't Python.
    """
    search = [program.parent, root]
    for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        place = Path(entry).resolve()
        if entry and place.is_relative_to(root.resolve()):
            search.append(root / place.relative_to(root.resolve()))
    search += package_roots(root)
    found = {program, *(package_files(program.parent, root) if is_module else ())}
    waiting = [*found]
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
    """Return every file below `root` that matches one of the patterns, sorted.

    Hidden files and results/ are left out: they are environments and snapshots of earlier runs.

    Raises:
        ValueError: a pattern isn't valid.
    """
    matched = {path for pattern in patterns for path in matching_paths(root, pattern)}
    return sorted(
        path for path in matched if path.is_file() and not _is_passed_over(path.relative_to(root))
    )


def _is_passed_over(path: Path) -> bool:
    return path.parts[0] == "results" or any(part.startswith(".") for part in path.parts)


def digest(files: Iterable[Path], root: Path) -> str:
    """Return the sha256 of the content of `files` and of their paths relative to `root`, in hex."""
    total = hashlib.sha256()
    for path in files:
        name = os.path.relpath(path, root)
        content = _read(path).text if path.suffix == ".py" else path.read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def snapshot(files: Sequence[Path], root: Path, folder: Path) -> None:
    """Copy `files` to `folder` under their paths below `root`.

    Files that a program left in an earlier snapshot, such as checkpoints, stay; `snapshot_files`
    returns the files that are code.
    """
    for old in snapshot_files(folder):
        old.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted({Path(os.path.relpath(path, root)) for path in files})
    write_json(_list_of(folder), [name.as_posix() for name in names])
    for path in names:
        _make_real(folder, path.parent)
        (folder / path).unlink(missing_ok=True)  # a link, if it wasn't code before
        copy_file(root / path, folder / path)


def _make_real(folder: Path, inside: Path) -> None:
    """Make a folder and its parents; links to the project's folders are replaced."""
    for part in [*reversed(inside.parents), inside]:
        if (folder / part).is_symlink():
            (folder / part).unlink()
        (folder / part).mkdir(exist_ok=True)


def snapshot_files(folder: Path) -> list[Path]:
    """Return the files of a snapshot that are code."""
    known = _list_of(folder)
    if not known.exists():
        return []
    mend = f"delete {folder.parents[1]}, and the next `snakemake` makes all of it again"
    return [folder / name for name in read_json(known, mend)]


def snapshot_content(folder: Path) -> dict[str, Path]:
    """Return the code files that are still in a snapshot, by their paths in the project."""
    files = (path for path in snapshot_files(folder) if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in files}


def delete_leftovers(folder: Path) -> None:
    """Delete the files of a snapshot that a program left there; code and links stay."""
    code = set(snapshot_files(folder))
    for base, _, names in os.walk(folder):
        for path in (Path(base, name) for name in names):
            if path not in code and not path.is_symlink():
                path.unlink()


def _list_of(folder: Path) -> Path:
    return folder.with_suffix(".json")


def link_entries(root: Path, folder: Path) -> None:
    """Link the entries of `root` that the snapshot in `folder` lacks, such as data.

    A program that is started in `folder` then finds what it would find in the project, but with its
    code as it was. Links are relative, so that the project can be moved.

    Hidden entries aren't linked: they are keys, environments and caches. Nor is the project's
    configuration: programs write a `config.yaml` of their own into the folder they work in, as
    LightningCLI does, which would overwrite the project's. So `results` is a folder of the run's
    own, and what it has in the project is linked into it.
    """
    results = Path("results")
    if folder.resolve().is_relative_to((root / results).resolve()):
        _make_real(folder, results)
    for base, _, _ in os.walk(folder):
        inside = Path(base).relative_to(folder)
        for entry in (root / inside).iterdir() if (root / inside).is_dir() else ():
            target = folder / inside / entry.name
            is_own = inside / entry.name == results / "logs" or _is_configuration(entry)
            if not target.exists() and not entry.name.startswith(".") and not is_own:
                target.unlink(missing_ok=True)  # a dangling link
                target.symlink_to(os.path.relpath(entry, target.parent))


def _is_configuration(path: Path) -> bool:
    """Whether a file is the configuration of a project, and not a program's of the same name."""
    if path.name != "config.yaml" or not path.is_file():
        return False
    return bool(re.search(rb"^experiments:", path.read_bytes(), re.MULTILINE))


def snapshot_path(python_path: str, root: Path, folder: Path) -> str:
    """Return PYTHONPATH with its folders below `root` replaced by those of the snapshot."""
    entries = []
    for entry in python_path.split(os.pathsep):
        path = Path(entry).resolve()
        if entry and path.is_relative_to(root.resolve()):
            entry = str(folder.absolute() / path.relative_to(root.resolve()))
        entries.append(entry)
    return os.pathsep.join(entries)


class _Module(NamedTuple):
    text: bytes  # its syntax tree, the same for every formatting and Python version
    imports: list[tuple[int, str]]  # number of leading dots, and the dotted name


def _read(path: Path) -> _Module:
    try:
        return _parse(path.read_bytes())
    except SyntaxError as error:
        raise SpecError(f"not Python: {error.msg}", f"{path}:{error.lineno}") from None
    except (OSError, ValueError) as error:
        raise SpecError(f"can't be read: {error}", str(path)) from None


@functools.cache  # the commands of Caduceus share most of their modules
def _parse(code: bytes) -> _Module:
    parts: list[str] = []
    imports: list[tuple[int, str]] = []
    _write_node(ast.parse(code), parts, imports)
    return _Module("".join(parts).encode(), imports)


def _imports(path: Path, search: Sequence[Path], root: Path) -> Iterator[Path]:
    """Yield the files of the local modules that the module at `path` imports."""
    for level, name in _read(path).imports:
        if level > len(path.parents):  # it leads out of the project
            continue
        if level:
            yield from package_files(path.parents[level - 1], root)
        places = [path.parents[level - 1]] if level else search
        yield from _resolve(name.split("."), places)


def package_files(folder: Path, root: Path) -> Iterator[Path]:
    """Yield the `__init__.py` of the package in `folder` and of the packages around it."""
    while folder != root and (folder / "__init__.py").is_file():
        yield folder / "__init__.py"
        folder = folder.parent


def _resolve(parts: Sequence[str], search: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that importing `parts` runs, from the first place that has the module.

    The last part may be a name in the module instead of a module.
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
    # Empty fields are left out, as they differ between Python versions.
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
    """Yield what a statement imports; a name from a module may be a module itself."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield 0, alias.name
        else:
            yield node.level, f"{node.module}.{alias.name}" if node.module else alias.name
