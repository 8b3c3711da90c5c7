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
        content = path.read_bytes()
        total.update(f"{path.relative_to(package).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()[:_DIGITS]


def reached_files(module: Path, package: Path = PACKAGE) -> list[Path]:
    """Return a module, the modules of the package that importing it may run, and their assets."""
    found = {module, *_packages_above(module, package)}
    waiting = list(found)
    while waiting:
        new = set(_imported(waiting.pop(), package)) - found
        found |= new
        waiting += new
    assets = {asset for path in found for asset in path.parent.glob("assets/*")}
    return sorted(found | assets)


@cache  # commands share most of their modules
def _imported(module: Path, package: Path) -> tuple[Path, ...]:
    """Return the modules that the import statements of `module` name, and their packages."""
    found: list[Path] = []
    for base, names, plain in _IMPORT.findall(_FOR_TYPES_ONLY.sub(b"", module.read_bytes())):
        dotted = (base or plain).decode()
        for name in ["", *re.findall(r"\w+", re.sub(r"#.*| as \w+", "", names.decode()))]:
            found += _modules_along(f"{dotted}.{name}".rstrip("."), package)
    return tuple(dict.fromkeys(found))


def _modules_along(dotted: str, package: Path) -> Iterator[Path]:
    """Yield the files that importing a dotted name runs; it may end with a name in a module."""
    path = package
    yield package / "__init__.py"
    for part in dotted.split(".")[1:]:
        path = path / part
        if path.is_dir():
            yield path / "__init__.py"
        elif path.with_suffix(".py").is_file():
            yield path.with_suffix(".py")
            return
        else:
            return


def _packages_above(module: Path, package: Path) -> Iterator[Path]:
    for folder in module.relative_to(package).parents:
        yield package / folder / "__init__.py"
