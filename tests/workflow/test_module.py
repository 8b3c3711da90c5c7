"""Caduceus as a part of a bigger workflow, from another folder, with rules of the user's own."""

import sys
from pathlib import Path

import pytest
from projects import CONFIG, ONE_RUN, REPOSITORY, Project, end_group, start_snakemake, wait_for


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one run and one table."""
    project = Project.create(tmp_path / "project")
    project.change("experiments/toy.yaml", **ONE_RUN)
    project.change("config.yaml", paper={"tables": CONFIG["paper"]["tables"]})
    return project


def test_as_a_module_with_a_prefix(project: Project) -> None:
    project.write(
        "Snakefile",
        f"""
configfile: "config.yaml"

module caduceus:
    snakefile: "{REPOSITORY}/Snakefile"
    config: config
    prefix: "study"

use rule * from caduceus as caduceus_*

rule count:
    default_target: True
    input:
        "study/results/groups/baseline/runs.csv",
        rules.caduceus_all.input,
    output:
        "count.txt",
    shell:
        "wc -l < {{input[0]}} > {{output}}"
""",
    )
    said = project.snakemake("--snakefile", "Snakefile").check().output

    assert "next: `snakemake --cores 1 caduceus_sync` sends the runs to W&B" in said
    assert (project.path / "count.txt").read_text() == "2\n"
    assert (project.path / "study/results/paper/tables/accuracy.md").exists()
    assert not (project.path / "results").exists()
    said = project.caduceus("status").check().output
    assert "finished" in said and "to do" not in said
    # Nothing to do a second time, either.
    again = project.snakemake("--snakefile", "Snakefile").check()
    assert "Nothing to be done" in again.output


def test_rules_of_the_users_own_make_data_and_show_results(project: Project) -> None:
    project.change("config.yaml", custom_rules=["own.smk"])
    (project.path / "data/points.csv").unlink()
    project.write(
        "own.smk",
        """
rule own_data:
    output:
        "data/points.csv",
    shell:
        "echo 1,2 > {output}"

rule own_figure:
    input:
        "results/groups/baseline/runs.csv",
    output:
        "results/paper/own.txt",
    shell:
        "cp {input} {output}"
""",
    )
    project.snakemake("results/paper/own.txt").check()

    assert (project.path / "results/paper/own.txt").read_text().startswith("run,name,experiment")
    # The workflow's own target stays the default one, and for it the data aren't made again.
    planned = project.planned()
    assert planned["make_table"] == 1
    assert not planned.keys() & {"own_data", "make_dataset", "train", "export_group"}


def test_from_another_folder(project: Project) -> None:
    """`--directory` names the project; the user stands elsewhere."""
    outside = Project(project.path.parent)
    outside.snakemake("--directory", str(project.path)).check()

    assert len(project.runs) == 1
    assert project.planned() == {}


MODULE = """
configfile: "config.yaml"

module caduceus:
    snakefile: "{snakefile}"
    config: config

use rule * from caduceus as caduceus_*
"""
ALL = """
rule all:
    input: "mine.txt"
"""
MINE = """
rule mine:
    output: "mine.txt"
    shell: "echo x > {output}"
"""


@pytest.mark.parametrize(
    ("snakefile", "target"),
    [(MODULE + MINE, "caduceus_all"), (MODULE + 'include: "rules/" + "own.smk"\n' + MINE, "all")],
)
def test_the_users_own_target_is_the_default(project: Project, snakefile: str, target: str) -> None:
    project.write("Snakefile", snakefile.replace("{snakefile}", f"{REPOSITORY}/Snakefile"))
    project.write("rules/own.smk", ALL)
    words = ("--snakefile", "Snakefile", "--dry-run", "--quiet", "rules")
    planned = project.snakemake(*words).check().output
    jobs = {line.split()[0] for line in planned.splitlines() if len(line.split()) == 2}
    assert target in jobs
    assert ("caduceus_train" in jobs) == (target == "caduceus_all")


def test_a_killed_snakemake_goes_on_where_the_users_snakefile_has_no_hook(project: Project) -> None:
    project.write("Snakefile", MODULE.replace("{snakefile}", f"{REPOSITORY}/Snakefile"))
    words = ("--snakefile", "Snakefile", "--until", "caduceus_plan_run")
    started = start_snakemake(project, *words)
    try:
        wait_for((project.path / ".snakemake/caduceus.json").exists)
    finally:
        end_group(started.pid)
        started.wait()
    assert any((project.path / ".snakemake/locks").iterdir())
    said = project.snakemake(*words).check().output
    assert "caduceus: removed the lock of a Snakemake that was killed" in said


# A dry run doesn't say which rules are local.
PARSE = """
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, ResourceSettings

with SnakemakeApi() as api:
    workflow = api.workflow(
        ResourceSettings(cores=1), ConfigSettings(), snakefile=Path("Snakefile")
    )._workflow
    print("jobs:", *sorted({rule.name for rule in workflow.rules} - workflow._localrules))
"""


def test_light_rules_are_no_jobs_of_a_cluster_whatever_their_names(project: Project) -> None:
    project.write("Snakefile", MODULE.replace("{snakefile}", f"{REPOSITORY}/Snakefile"))
    parsed = project.run(sys.executable, "-c", PARSE).check()
    assert parsed.line("jobs:").split()[1:] == [
        *("caduceus_all", "caduceus_make_dataset", "caduceus_paper", "caduceus_sweep_agent"),
        "caduceus_train",
    ]
    assert "localrules directive" not in parsed.output
