"""The rule that a plain `snakemake` makes where Caduceus is a module, by Snakemake's own parser."""

from pathlib import Path

import pytest
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, ResourceSettings

# A module in the place of Caduceus, with the last lines of its Snakefile.
OURS = """
from caduceus.system.snakemake_default_target import prefer_all
rule all:
    input: "ours.txt"
rule train:
    output: "ours.txt"
    shell: "touch {output}"
if workflow.modifier.is_module:
    prefer_all(workflow)
"""
OTHER = 'rule all:\n    input: "other.txt"\n'
MODULE = 'module ours:\n    snakefile: "ours.smk"\n'
USE = f"{MODULE}use rule * from ours as c_*\n"
USE_OTHER = 'module other:\n    snakefile: "other.smk"\nuse rule * from other'
DATA = "rule data:\n    output: 'x'\n    shell: 'touch x'\n"
ALL = "rule all:\n    input: 'x'\n"
MARKED = "rule mine:\n    default_target: True\n    input: 'x'\n"
INDENTED = ALL.replace("\n", "\n    ").rstrip(" ")


@pytest.mark.parametrize(
    ("snakefile", "target"),
    [
        # Without a rule `all`: the first rule, as Snakemake has it.
        (USE, "c_all"),
        (f"{USE}{DATA}", "c_all"),
        (f"{DATA}{USE}", "data"),
        (f"{USE}rule all_plots:\n    input: 'x'\n# rule all:\n", "c_all"),
        (f"{USE_OTHER} as o_*\n{USE}", "o_all"),
        (f"{MODULE}use rule train from ours as c_train\n", "c_train"),
        # A rule `all` wherever it stands.
        (f"{USE}{ALL}", "all"),
        (f"{ALL}{USE}", "all"),
        (f"{DATA}{USE}{ALL}", "all"),
        (f"{USE}if True:\n    {INDENTED}\n", "all"),
        (f"{USE}checkpoint all:\n    output: 'x'\n    shell: 'touch x'\n", "all"),
        (f"{USE}folder = 'rules'\ninclude: f'{{folder}}/own.smk'\n", "all"),
        (f"include: 'rules/own.smk'\n{USE}", "all"),
        (f"{USE}{USE_OTHER}\n", "all"),
        (f"{DATA}{MODULE}use rule * from ours\n", "all"),
        (f"{USE}'''\n    default_target: True\n'''\n{ALL}", "all"),
        # A rule that the user marks.
        (f"{MARKED}{USE}", "mine"),
        (f"{USE}{MARKED}", "mine"),
        (f"{ALL}{USE}{MARKED}", "mine"),
        (f"{MARKED}{USE}{ALL}", "mine"),
        (
            f"{USE}{ALL}use rule all from ours as study with:\n    default_target: True\n",
            "study",
        ),
    ],
)
def test_the_users_choice_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snakefile: str, target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    for name, text in (
        ("Snakefile", snakefile),
        ("ours.smk", OURS),
        ("other.smk", OTHER),
        ("rules/own.smk", ALL),
    ):
        (tmp_path / name).write_text(text)
    with SnakemakeApi() as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(),
            snakefile=tmp_path / "Snakefile",
        )
        assert workflow._workflow.default_target == target
