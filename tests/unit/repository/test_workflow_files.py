"""The files that GitHub, pre-commit and the Snakemake catalogue read: valid, sparing and true."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from projects import REPOSITORY

GITHUB = REPOSITORY / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").iterdir())
MAKEFILE = (REPOSITORY / "Makefile").read_text()
TARGETS = set(re.findall(r"^([\w./-]+):", MAKEFILE, re.MULTILINE))
# May be named by a major version: GitHub's own. All others by a commit.
BY_VERSION = re.compile(r"actions/[\w-]+@v\d+")
BY_COMMIT = re.compile(r"[\w./-]+@[0-9a-f]{40}")


def read(path: Path) -> dict[str, Any]:
    """Return a YAML file; YAML 1.1 reads the key `on` as true."""
    return {
        ("on" if key is True else key): value
        for key, value in yaml.safe_load(path.read_text()).items()
    }


def jobs() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for path in WORKFLOWS:
        workflow = read(path)
        for name, job in workflow["jobs"].items():
            yield f"{path.name} {name}", workflow, job


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", ".github/workflows/*.yaml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/[!c]*.yml"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("dependabot", ".github/dependabot.yml"),
        ("citation-file-format", "CITATION.cff"),
    ],
)
def test_files_hold_to_their_schemas(schema: str, files: str) -> None:
    paths = [str(path) for path in REPOSITORY.glob(files)]
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*words, *paths], capture_output=True, text=True)
    assert paths and done.returncode == 0, done.stdout + done.stderr


def test_jobs_have_few_rights_and_an_end() -> None:
    writing = {}
    for name, workflow, job in jobs():
        assert job["timeout-minutes"] <= 120, name
        assert workflow["permissions"] in ({}, {"contents": "read"}), name
        rights = job.get("permissions", {})
        writing |= {f"{name} {right}": how for right, how in rights.items() if how != "read"}
    assert writing == dict.fromkeys(
        (
            "docs.yaml publish pages",
            "docs.yaml publish id-token",
            "release.yaml publish id-token",
            "release.yaml announce contents",
        ),
        "write",
    )


def test_jobs_that_write_run_only_actions_and_no_code_of_the_repository() -> None:
    for name, _, job in jobs():
        if "write" in job.get("permissions", {}).values():
            used = [step["uses"] for step in job["steps"] if "uses" in step]
            assert not [each for each in used if each.startswith("actions/checkout")], name


def test_actions_are_named_by_what_does_not_move() -> None:
    for name, _, job in jobs():
        for step in job["steps"]:
            if used := step.get("uses"):
                assert BY_VERSION.fullmatch(used) or BY_COMMIT.fullmatch(used), (name, used)
                if used.startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False, name


def test_no_shell_reads_what_others_wrote() -> None:
    """A title or a branch's name in `run:` would be a piece of the script: it comes by `env:`."""
    for name, _, job in jobs():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), (name, step)


def test_commands_of_jobs_name_what_is_there() -> None:
    for name, _, job in jobs():
        for step in job["steps"]:
            for target in re.findall(r"^make ([\w./-]+)", step.get("run", ""), re.MULTILINE):
                assert target in TARGETS, (name, target)
            for path in re.findall(
                r"(?<![\w./-])(?:docs|tests|\.ci)/[\w./-]+", step.get("run", "")
            ):
                assert (REPOSITORY / path).exists(), (name, path)


def test_the_matrix_has_the_promised_pythons() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    matrix = read(GITHUB / "workflows/test.yaml")["jobs"]["units"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert project["requires-python"] == f">={matrix['python'][0]}"
    assert "macos-latest" in matrix["system"]


def test_before_a_commit_runs_what_the_makefile_runs() -> None:
    """Its versions are those of the lock, since it has none of its own."""
    config = read(REPOSITORY / ".pre-commit-config.yaml")
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    assert {hook["entry"].split()[-1] for hook in hooks} == {"lint", "check"}
    assert re.search(r"^check: lint$", MAKEFILE, re.MULTILINE)


def test_the_catalogue_of_snakemake_finds_its_layout() -> None:
    """As its own generator looks for it; it also runs `snakemake --lint` and snakefmt."""
    assert (REPOSITORY / "workflow/Snakefile").is_file()
    assert (REPOSITORY / "config/README.md").is_file()
    assert list((REPOSITORY / "workflow/rules").glob("*.smk"))
    usage = read(REPOSITORY / ".snakemake-workflow-catalog.yml")["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    readme = (REPOSITORY / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme
