"""The installed modules that a program's code imports first, as far as nothing need run to know."""

import ast
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_SITES = {"site-packages", "dist-packages"}
# What packages import later: the module by the package, and by the word of a program's code after
# which it comes. torch's takes a second at the first optimizer, that of wandb half of one.
_LATER = {
    ("torch", b"optim"): "torch._dynamo",
    ("wandb", b"init"): "wandb.sdk.launch.inputs.internal",
}


def declared_imports(program: Path, root: Path) -> tuple[str, ...]:
    """Return the installed modules that a program and its local modules always import.

    These are in statements that stand in no block: not in `if`, `try` or a function.

    Args:
        program: the program, below `root`.
        root: the folder from which it is started.

    Returns:
        The names of modules in the order in which they are imported; none if the program can't be
        read.
    """
    found: dict[str, None] = {}
    seen: dict[Path, bytes] = {}
    _add(program, [program.parent, root], found, seen)
    for (package, word), module in _LATER.items():
        if package in found and any(word in code for code in seen.values()) and _is_there(module):
            found.setdefault(module)
    return tuple(found)


def _add(
    path: Path, search: Sequence[Path], found: dict[str, None], seen: dict[Path, bytes]
) -> None:
    """Add what a file imports; `seen` has the code of those that were looked at."""
    seen[path] = b""
    try:
        seen[path] = path.read_bytes()
        statements = ast.parse(seen[path]).body
    except (OSError, SyntaxError, ValueError):  # Python says so when it runs the program
        return
    for statement in statements:
        for level, name in _names(statement):
            places = [path.parents[level - 1]] if level else search
            local = next(filter(None, (_files(name, place) for place in places)), [])
            for file in local:
                if file not in seen:
                    _add(file, search, found, seen)
            if not local and not level and _is_installed(name.partition(".")[0]):
                found.setdefault(name)


def _names(statement: ast.stmt) -> Iterator[tuple[int, str]]:
    """Yield the modules that a statement imports: the number of leading dots, and the name."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            yield 0, alias.name
    elif isinstance(statement, ast.ImportFrom):
        yield statement.level, statement.module or ""
        # A name from a local package may be a module.
        for alias in statement.names if statement.level else ():
            yield statement.level, ".".join(filter(None, (statement.module, alias.name)))


def _files(name: str, place: Path) -> list[Path]:
    """Return the files that an import of a module runs, if its first part is in a folder."""
    files, folder = [], place
    for part in name.split("."):
        candidates = (folder / part / "__init__.py", folder / f"{part}.py")
        files += [path for path in candidates if path.is_file()][:1]
        folder = folder / part
    return files


def _is_installed(package: str) -> bool:
    """Whether a package is in a folder of installed packages."""
    return package not in sys.stdlib_module_names and _place(package) is not None


def _is_there(module: str) -> bool:
    """Whether an installed package has a module: other versions may not."""
    place = _place(module.partition(".")[0])
    path = place.joinpath(*module.split(".")) if place else None
    return path is not None and (path.is_dir() or path.with_suffix(".py").is_file())


def _place(package: str) -> Path | None:
    """Return the folder of installed packages that has a package."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    path = Path((spec.origin if spec else None) or "")
    return path.parents[path.name == "__init__.py"] if _SITES & {*path.parts} else None
