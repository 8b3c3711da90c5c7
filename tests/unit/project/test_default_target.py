"""The rule that a plain `snakemake` makes where Caduceus is a module."""

import pytest
from caduceus.project.default_target import default_target

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
        (f"{USE}rule all_plots:\n    input: 'x'\n", None, "caduceus_all"),
        (f"{USE}# rule all:\n", None, "caduceus_all"),
    ],
)
def test_the_users_choice_wins(snakefile: str, before: str | None, expected: str) -> None:
    assert default_target(snakefile, before, "caduceus_all") == expected


def test_ours_may_have_the_name_itself() -> None:
    assert default_target("use rule * from caduceus\n", None, "all") == "all"
