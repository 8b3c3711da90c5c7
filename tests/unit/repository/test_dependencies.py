"""Each dependency has a reason and a licence that the project can live with."""

import subprocess
import sys
import tomllib

import pytest
from lowest_bounds import lowest
from packaging.requirements import Requirement
from projects import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "docs"))

from dependencies import dependencies, installed_licence, is_allowed, is_old, page, read_facts

PYPROJECT = (REPOSITORY / "pyproject.toml").read_text()
NEEDED = dependencies(PYPROJECT)
FACTS = read_facts((REPOSITORY / "docs/dependencies.csv").read_text())


def declared() -> set[str]:
    project = tomllib.loads(PYPROJECT)["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    return {Requirement(line).name for line in lines}


def test_each_dependency_has_a_reason() -> None:
    assert {each.name for each in NEEDED} == declared()
    assert all(len(each.reason) >= 4 for each in NEEDED)


@pytest.mark.parametrize("name", sorted(declared()))
def test_each_dependency_has_an_allowed_licence(name: str) -> None:
    """`make licences` writes it, from the installed package."""
    assert is_allowed(FACTS[name].licence), FACTS[name].licence
    assert installed_licence(name) in (None, FACTS[name].licence)


def test_the_page_is_made_from_them() -> None:
    assert (REPOSITORY / "docs/dependencies.md").read_text() == page(NEEDED, FACTS)


def test_licences_are_judged_part_by_part() -> None:
    assert is_allowed("MIT") and is_allowed("MPL-2.0 AND (MIT OR GPL-3.0-only)")
    assert not is_allowed("GPL-3.0-only") and not is_allowed("MIT AND GPL-3.0-only")
    assert not is_allowed("not said")


def test_old_is_two_years() -> None:
    assert is_old("2024-11", "2026-11") and not is_old("2024-12", "2026-11")


def test_lowest_versions_are_the_bounds() -> None:
    assert list(lowest(["a>=1.2,<3", "b", "c[x]>=2.0.1"])) == ["a==1.2", "c==2.0.1"]


def test_the_canary_asks_for_them() -> None:
    script = REPOSITORY / "tests/support/lowest_bounds.py"
    printed = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert "snakemake==9.27\n" in printed.stdout
