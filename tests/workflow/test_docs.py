"""The documents say what is so."""

import re
import subprocess

import pytest
import yaml
from projects import REPOSITORY, Project

README = (REPOSITORY / "README.md").read_text()
IGNORED = {".venv", ".lock", "work", ".pytest_cache"}
DOCUMENTS = [
    path
    for entry in REPOSITORY.iterdir()
    if entry.name not in IGNORED
    for path in (entry.rglob("*.md") if entry.is_dir() else [entry])
    # A link is read where it leads.
    if path.suffix == ".md"
    and not path.is_symlink()
    and not IGNORED & set(path.relative_to(REPOSITORY).parts)
]


@pytest.mark.parametrize(
    "path",
    # Those of docs/ may link to pages that are made with the site, whose build checks all links.
    [path for path in DOCUMENTS if "docs" not in path.relative_to(REPOSITORY).parts],
    ids=lambda path: str(path.relative_to(REPOSITORY)),
)
def test_every_link_to_a_file_leads_somewhere(path: object) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_exported_file_stands_in_the_readme_of_results(trained: Project) -> None:
    text = (REPOSITORY / "results/README.md").read_text()
    names = set()
    for path in (trained.path / "results").rglob("*"):
        parts = path.relative_to(trained.path / "results").parts
        is_below = {"work", "output", "artifacts", "media", "logs"} & set(parts[:-1])
        if path.is_file() and not is_below and not path.name.startswith("."):
            names.add(path.name)
    named_by_the_user = {
        name for name in names if name.startswith(("toy.", "accuracy.", "curves."))
    }
    assert len(named_by_the_user) == 11
    for name in names - named_by_the_user:
        assert f"`{name}`" in text, name


def test_every_column_of_a_groups_tables_stands_in_the_readme_of_results(
    trained: Project,
) -> None:
    text = (REPOSITORY / "results/README.md").read_text()
    for file in ("runs.csv", "variants.csv"):
        header = (trained.path / "results/groups/baseline" / file).read_text().splitlines()[0]
        for column in header.split(","):
            if not column.startswith(("config.", "summary.")):
                assert f"`{column}`" in text, column


def test_every_make_target_of_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for path in DOCUMENTS:
        for name in re.findall(r"`(?:CORES=\d+ )?make ([a-z-]+)`", path.read_text()):
            assert name in targets, (path, name)


def test_every_command_of_the_documents_exists() -> None:
    commands = {
        path.stem.replace("_", "-")
        for path in (REPOSITORY / "scripts/caduceus/commands").glob("*.py")
    }
    for path in DOCUMENTS:
        for name in re.findall(r"`caduceus ([a-z-]+)[^`]*`", path.read_text()):
            assert name in commands, (path, name)


def test_the_readme_shows_the_table_of_the_shipped_configuration() -> None:
    """Its rows and columns; `make` on the machine at hand prints the numbers."""
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    table = config["paper"]["tables"]["accuracy"]
    for heading in table["metrics"]:
        assert f" {heading} |" in README
    for architecture in ("logistic", "mlp", "cnn", "human"):
        assert f"| {architecture} " in README


def test_results_are_ignored_by_git_but_for_their_readme() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "results"], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert listed.stdout == "results/README.md\n"
