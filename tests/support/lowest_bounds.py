"""Print the lowest versions that pyproject.toml allows, as constraints for pip.

    python tests/support/lowest_bounds.py [--except NAME ...] > lowest.txt
    pip install --constraint lowest.txt '.[dev]'

What has no lower bound, such as stubs, is left to pip.
"""

import argparse
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
EXTRAS = ("mnist1d",)


def lowest(requirements: Iterable[str]) -> Iterator[str]:
    """Yield `name==version` for each requirement that has a lower bound."""
    for text in requirements:
        requirement = Requirement(text)
        for specifier in requirement.specifier:
            if specifier.operator == ">=":
                yield f"{requirement.name}=={specifier.version}"


def wanted(root: Path) -> list[str]:
    """Return what the package and the experiments of the repository need; not the tests' tools."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(line for name in EXTRAS for line in extras[name])]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the constraints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--except", dest="left_out", action="append", default=[])
    names = parser.parse_args(arguments).left_out
    for line in lowest(wanted(ROOT)):
        if line.partition("==")[0] not in names:
            print(line)


if __name__ == "__main__":
    main()
