"""Digests of Caduceus's own code: a rule with one among its params reruns when its code changes.

The digest of a command covers the bytes of its module, of every module of `caduceus` that it
imports, directly or through others, and of their assets. Other packages are left out: they have
versions, which `provenance.json` records. So a clone, an editable install and a wheel give the same
digest. Bytes are compared, not syntax trees: parsing took 0.7 s of each start of Snakemake, this
takes 0.02 s, and this code changes only with a release.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# A statement that imports from the package, with the names in it, which may be modules.
_IMPORT = re.compile(
    rb"^[ \t]*(?:from (caduceus(?:\.\w+)*) import (\([^)]*\)|[^\n]*)|import (caduceus(?:\.\w+)*))",
    re.MULTILINE,
)
_FOR_TYPES_ONLY = re.compile(rb"^if TYPE_CHECKING:\n(?:    .*\n|\n)+", re.MULTILINE)
_DIGITS = 16


def command_digests(commands: Iterable[str], package: Path = PACKAGE) -> dict[str, str]:
    """Return the digest of the code behind each command, in hex.

    Args:
        commands: the names of their modules in `caduceus.commands`.
        package: the folder of `caduceus`.
    """
    return {command: code_digest([f"commands/{command}"], package) for command in commands}


def code_digest(modules: Iterable[str], package: Path = PACKAGE) -> str:
    """The digest of the code that importing some modules may run, in hex.

    Args:
        modules: their paths in the package without `.py`, such as `commands/train`.
        package: the folder of `caduceus`.
    """
    total = hashlib.sha256()
    files = {path for name in modules for path in reached_files(package / f"{name}.py", package)}
    for path in sorted(files):
        content = _content(path)
        total.update(f"{path.relative_to(package).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()[:_DIGITS]


def reached_files(module: Path, package: Path = PACKAGE) -> list[Path]:
    """Return a module, the modules of the package that importing it may run, and their assets."""
    found = {module, *_packages_above(module, package)}
    waiting = list(found)
    while waiting:
        new = _imported(waiting.pop(), package) - found
        found |= new
        waiting += new
    assets = {asset for folder in {path.parent for path in found} for asset in _assets(folder)}
    return sorted(found | assets)


# Commands share most of their modules: what is found out about one is kept for the others.
@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _assets(folder: Path) -> tuple[Path, ...]:
    return tuple(folder.glob("assets/*"))


@cache
def _imported(module: Path, package: Path) -> frozenset[Path]:
    """Return the modules that the import statements of `module` name, and their packages."""
    found: set[Path] = set()
    for base, names, plain in _IMPORT.findall(_FOR_TYPES_ONLY.sub(b"", _content(module))):
        dotted = (base or plain).decode()
        above = _modules_along(dotted, package)
        found.update(above)
        if above[-1].name == "__init__.py":  # the names may be those of its modules
            for name in re.findall(r"\w+", re.sub(r"#.*| as \w+", "", names.decode())):
                found.update(_modules_along(f"{dotted}.{name}", package))
    return frozenset(found)


@cache
def _modules_along(dotted: str, package: Path) -> tuple[Path, ...]:
    """Return the files that importing a dotted name runs; it may end with a name in a module."""
    path = package
    found = [package / "__init__.py"]
    for part in dotted.split(".")[1:]:
        path = path / part
        if path.is_dir():
            found.append(path / "__init__.py")
            continue
        if path.with_suffix(".py").is_file():
            found.append(path.with_suffix(".py"))
        break
    return tuple(found)


def _packages_above(module: Path, package: Path) -> Iterator[Path]:
    for folder in module.relative_to(package).parents:
        yield package / folder / "__init__.py"
