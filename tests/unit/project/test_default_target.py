"""The rule that a plain `snakemake` makes where Caduceus is a module."""

from pathlib import Path

import pytest
from caduceus.project.default_target import default_target, read_snakefile

USE = "use rule * from caduceus as caduceus_*\n"
MARKED = "rule mine:\n    default_target: True\n    input: 'x'\n"


@pytest.mark.parametrize(
    ("snakefile", "before", "expected"),
    [
        (USE, None, "caduceus_all"),
        (f"{USE}rule plot:\n    output: 'x'\n", None, "caduceus_all"),
        (f"rule data:\n    output: 'x'\n{USE}", "data", "caduceus_all"),
        (f"{USE}rule all:\n    input: 'x'\n", None, "all"),
        (f"rule all:\n    input: 'x'\n{USE}", "all", "all"),
        (f"rule data:\n    output: 'x'\n{USE}rule all:\n    input: 'x'\n", "data", "all"),
        (f"{MARKED}{USE}", "mine", "mine"),
        (f"{USE}{MARKED}", None, "caduceus_all"),  # Snakemake sets `mine` when it comes to it
        (f"include: f'{{x}}.smk'\n{USE}", "all", "all"),
        (f"{USE}rule all_plots:\n    input: 'x'\n", None, "caduceus_all"),
        (f"{USE}# rule all:\n", None, "caduceus_all"),
    ],
)
def test_the_users_choice_wins(snakefile: str, before: str | None, expected: str) -> None:
    assert default_target(snakefile, before, "caduceus_all") == expected


def test_ours_may_have_the_name_itself() -> None:
    assert default_target("use rule * from caduceus\n", None, "all") == "all"


def test_a_rule_may_stand_in_an_included_file(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for name, text in (
        ("Snakefile", f"{USE}include: 'rules/own.smk'\ninclude: 'missing.smk'\n"),
        ("rules/own.smk", 'include:\n    "more.smk"\ninclude: "../Snakefile"\n'),
        ("rules/more.smk", "rule all:\n    input: 'x'\n"),
    ):
        (tmp_path / name).write_text(text)
    found = read_snakefile(tmp_path / "Snakefile")
    assert default_target(found, None, "caduceus_all") == "all"
