"""What a release needs: dated notes by category, addresses, and names that stay."""

import re
import subprocess
import sys

import pytest
from projects import REPOSITORY
from stable_names import LIST, listed, stable_names

sys.path.insert(0, str(REPOSITORY / "docs"))

from citation import citation  # found above
from release_notes import NotReadyError, check_metadata, release_notes, version_of

SOURCE = REPOSITORY / "scripts/caduceus/__init__.py"
CHANGELOG = """# Changelog

## 1.1.0, 2027-02-03

### After this upgrade

- Figures are drawn anew.

### Added

- A key.
- Another.

## 1.0.0, 2026-12-24

### Fixed

- A fault.
"""


def test_notes_are_those_of_the_version() -> None:
    assert release_notes(CHANGELOG, "1.0.0") == "### Fixed\n\n- A fault.\n"
    notes = release_notes(CHANGELOG, "1.1.0")
    assert notes.startswith("### After this upgrade\n\n- Figures") and notes.endswith(
        "- Another.\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("1.1.0, 2027-02-03", "1.1.0, unreleased", "put its date there"),
        ("### Added\n", "### Novelties\n", "'Novelties' is none of"),
        ("### Added\n\n- A key.\n- Another.\n", "### Added\n", "'Added' of 1.1.0 has no entry"),
        ("### After this upgrade\n\n", "", "put entries below categories"),
        ("### Added", "### After this upgrade", "stand once, in this order"),
        ("1.1.0", "1.2.0", "it has no section `## 1.1.0"),
    ],
)
def test_what_is_missing_is_said(old: str, new: str, reason: str) -> None:
    with pytest.raises(NotReadyError, match=re.escape(reason)):
        release_notes(CHANGELOG.replace(old, new), "1.1.0")


def test_a_placeholder_is_no_address() -> None:
    check_metadata('[project.urls]\nSource = "https://github.com/a/b"\n')
    with pytest.raises(NotReadyError, match="Source: replace OWNER"):
        check_metadata('[project.urls]\nSource = "https://github.com/OWNER/b"\n')


def test_a_tag_that_is_not_the_version_makes_no_release() -> None:
    script = REPOSITORY / "docs/release_notes.py"
    done = subprocess.run(
        [sys.executable, script, "--tag", "v99.0.0"], capture_output=True, text=True
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("no release: the tag is v99.0.0, and the package's version ")


def test_placeholders_stand_in_one_place() -> None:
    """pyproject.toml, and CITATION.cff, which is made from it."""
    listing = ["git", "grep", "-lE", "(github.com/|//)OWNER", "--", ":!tests", ":!docs/*.py"]
    found = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, text=True).stdout.split()
    assert set(found) <= {"CITATION.cff", "pyproject.toml"}


def test_the_citation_is_made_from_the_project() -> None:
    """`python docs/citation.py` writes it."""
    assert (REPOSITORY / "CITATION.cff").read_text() == citation(REPOSITORY)


def test_no_name_of_a_release_goes() -> None:
    """docs/stability.md: a key is renamed with a warning, and refused by the next major version."""
    gone = listed() - stable_names(REPOSITORY)
    assert not gone, f"{sorted(gone)}: users' files have these names"


def test_a_release_lists_its_names() -> None:
    """`python tests/support/stable_names.py` adds the new ones."""
    version = version_of(SOURCE.read_text())
    heading = re.search(
        rf"^## {re.escape(version)}, \d", (REPOSITORY / "CHANGELOG.md").read_text(), re.M
    )
    if heading:
        assert stable_names(REPOSITORY) <= listed(), LIST
    assert len(listed()) > 500
