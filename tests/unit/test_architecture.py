"""The page on the architecture says what is so."""

import re
import sys

from projects import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "docs"))

from drawings import drawings  # found above

PAGE = (REPOSITORY / "docs/architecture.md").read_text()


def test_the_pictures_are_drawn_from_the_contract_and_the_page() -> None:
    """`python docs/drawings.py` draws them anew."""
    for path, picture in drawings(REPOSITORY).items():
        assert (REPOSITORY / path).read_text() == picture, path


def test_every_path_on_the_page_exists() -> None:
    paths = [
        name
        for name in re.findall(r"`([\w./]+/[\w./]*)`", PAGE)
        if not re.search(r"\b[A-Z]{4,}\b", name)  # a name to be chosen
    ]
    assert len(paths) > 50
    for path in paths:
        places = (REPOSITORY, REPOSITORY / "scripts/caduceus")
        assert any((place / path).exists() for place in places), path


def test_a_package_has_one_sentence() -> None:
    for name, words in re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", PAGE, re.MULTILINE):
        assert words.endswith(".") and words.count(". ") == 0, name
