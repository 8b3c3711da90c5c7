"""The package's name, version, requirements and extras are the same wherever they stand."""

import re
import subprocess
import tomllib
from pathlib import Path

import caduceus
import pytest
import yaml
from caduceus import __main__

REPOSITORY = Path(__file__).parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
OF_CONDA = {"snakemake": "snakemake-minimal", "matplotlib": "matplotlib-base"}


def test_nothing_names_the_package_of_others() -> None:
    assert PROJECT["name"] == caduceus.DISTRIBUTION
    wrong = r"caduceus\[|(^|[^a-z])(install|add|inject|uvx|pipx run)[ '\"]+caduceus($|[^-_.a-z])"
    words = ["git", "grep", "-nE", wrong, "--", ".", ":!CHANGELOG.md", ":!tests/unit"]
    found = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True).stdout
    assert not found


def test_the_recipe_has_the_version_and_requirements_of_the_package() -> None:
    recipe = yaml.safe_load((REPOSITORY / "envs/recipe.yaml").read_text())
    assert recipe["package"]["name"] == PROJECT["name"]
    assert recipe["context"]["version"] == caduceus.__version__
    wanted = {"__unix", f"python {PROJECT['requires-python']}"}
    for line in PROJECT["dependencies"]:
        name, versions = re.fullmatch(r"([\w-]+)(.*)", line).groups()
        wanted.add(f"{OF_CONDA.get(name, name)} {versions}")
    assert set(recipe["requirements"]["run"]) == wanted
    scripts = [f"{name} = {target}" for name, target in PROJECT["scripts"].items()]
    assert recipe["build"]["python"]["entry_points"] == scripts


def test_the_page_on_installing_has_every_extra() -> None:
    page = (REPOSITORY / "docs/how_to/install.md").read_text()
    extras = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", page, re.MULTILINE)
    assert sorted(extras) == sorted(PROJECT["optional-dependencies"])


def test_a_command_whose_package_was_overwritten_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(caduceus, "DISTRIBUTION")
    with pytest.raises(SystemExit, match="another package named caduceus has replaced files here"):
        __main__.main(["doctor"])
