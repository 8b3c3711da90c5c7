"""Print the notes of a release from CHANGELOG.md: `python docs/release_notes.py --tag v0.1.0`.

Refuses what can't be released: a tag that isn't the package's version, a version without a date,
entries without a category, and placeholders in pyproject.toml. Uses the standard library only.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
CATEGORIES = (
    "After this upgrade",  # what is trained, exported or drawn anew
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
)
_HEADING = re.compile(r"^## (\d+\.\d+\.\d+), (.+)$", re.MULTILINE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class NotReadyError(Exception):
    """A release can't be made; the message names what is missing, in one line."""


def version_of(source: str) -> str:
    """Return `__version__` of the source of the package's `__init__.py`."""
    found = re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    if found is None:
        raise NotReadyError("scripts/caduceus/__init__.py: it has no __version__")
    return found[1]


def release_notes(changelog: str, version: str) -> str:
    """Return the entries of a version, by category.

    Raises:
        NotReadyError: the version has no section, no date, or entries outside of categories.
    """
    sections = _HEADING.split(changelog)[1:]
    found = {
        name: (date, text)
        for name, date, text in zip(sections[::3], sections[1::3], sections[2::3], strict=True)
    }
    if version not in found:
        raise NotReadyError(f"CHANGELOG.md: it has no section `## {version}, YEAR-MONTH-DAY`")
    date, text = found[version]
    if not _DATE.fullmatch(date):
        raise NotReadyError(
            f"CHANGELOG.md: {version} is {date!r}: put its date there, as 2026-12-24"
        )
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)
    if entry := parts[0].strip():
        line = entry.splitlines()[0][:60]
        raise NotReadyError(f"CHANGELOG.md: put entries below categories (### Added): {line!r}")
    names = parts[1::2]
    if wrong := [name for name in names if name not in CATEGORIES]:
        raise NotReadyError(f"CHANGELOG.md: {wrong[0]!r} is none of {', '.join(CATEGORIES)}")
    if names != sorted(set(names), key=CATEGORIES.index):
        raise NotReadyError(
            f"CHANGELOG.md: categories stand once, in this order: {', '.join(CATEGORIES)}"
        )
    for name, entries in zip(names, parts[2::2], strict=True):
        if not entries.strip().startswith("- "):
            raise NotReadyError(f"CHANGELOG.md: {name!r} of {version} has no entry")
    if not names:
        raise NotReadyError(f"CHANGELOG.md: {version} has no entries")
    return text.strip() + "\n"


def check_metadata(pyproject: str) -> None:
    """See that nothing in pyproject.toml still stands for something else.

    Raises:
        NotReadyError: the first address with a placeholder.
    """
    for name, address in tomllib.loads(pyproject)["project"]["urls"].items():
        if "OWNER" in address:
            raise NotReadyError(
                f"pyproject.toml: [project.urls] {name}: replace OWNER in {address}"
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the notes; returns 1, with what is missing, if there is no release to be made."""
    parser = argparse.ArgumentParser(description="Print the notes of a release.")
    parser.add_argument("--tag", required=True, help="the release's tag, such as v0.1.0")
    tag = parser.parse_args(arguments).tag
    try:
        version = version_of((ROOT / "scripts/caduceus/__init__.py").read_text())
        if tag != f"v{version}":
            raise NotReadyError(f"the tag is {tag}, and the package's version {version}")
        check_metadata((ROOT / "pyproject.toml").read_text())
        print(release_notes((ROOT / "CHANGELOG.md").read_text(), version), end="")
    except NotReadyError as reason:
        print(f"no release: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
