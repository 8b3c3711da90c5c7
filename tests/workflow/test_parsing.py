"""What Snakemake does each time it parses the workflow, on a cluster once for every job."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from projects import REPOSITORY, Project

HEAVY = {"matplotlib", "numpy", "pandas", "pyarrow", "scipy", "torch", "wandb"}


def test_parsing_imports_nothing_heavy(project: Project) -> None:
    code = """
import sys, yaml
from caduceus.project.command_digests import command_digests
from caduceus.project.project import load_project
load_project(yaml.safe_load(open("config.yaml")), ["config.yaml"])
command_digests(["export_group"])
print(*{name.partition(".")[0] for name in sys.modules})
"""
    printed = project.run(sys.executable, "-c", code).check().output
    assert not HEAVY & set(printed.split())


def test_parsing_writes_nothing(project: Project) -> None:
    """Snakemake's own folder aside."""

    def files() -> set[Path]:
        return {path for path in project.path.rglob("*") if ".snakemake" not in path.parts}

    before = files()
    project.snakemake("--list").check()
    project.snakemake("--dry-run").check()
    assert files() == before


def test_parsing_uses_no_network(project: Project) -> None:
    """In a network namespace without any interface, not even loopback."""
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        pytest.skip("this machine allows no network namespaces")
    project.run("unshare", "-rn", *project.command("--dry-run")).check()


def test_braces_in_what_the_user_writes_are_no_wildcards(project: Project) -> None:
    title = "loss $L_{val}$ {wildcards} {0}"
    project.change(
        "config.yaml",
        wandb={"project": "p{val}", "groups": {"baseline": "{val}"}},
        defaults={"tags": ["{val}"]},
        paper={
            "tables": {"t": {"metrics": {"loss": "val/loss {val}"}, "title": title}},
            "figures": {"f": {"kind": "curves", "metrics": {title: "val/loss {val}"}}},
        },
    )
    for target in ("all", "archive"):
        assert project.snakemake("--dry-run", target).check().jobs["train"]
    project.change(
        "config.yaml",
        export={"source": "api", "projects": [{"project": "a/p", "groups": ["{val}"]}]},
    )
    assert project.snakemake("--dry-run", "refresh").check().jobs["refresh"] == 1
    run = next(iter(project.snakemake("--dry-run").output.split("run=")[1:])).split()[0]
    printed = project.snakemake(
        "--dry-run", "--printshellcmds", f"results/runs/{run}/server.json"
    ).check()
    assert "find-run 'p{val}'" in printed.output


def test_the_shipped_workflow_passes_its_linter() -> None:
    finished = Project(REPOSITORY).run(sys.executable, "tests/support/lint_workflow.py")
    assert finished.check().output == ""


def test_the_scheduler_of_a_local_build_is_lightened(project: Project) -> None:
    """Asked of Snakemake itself, after a build that a rule of the user's asks for."""
    rules = """
rule own:
    input: inputs("plans")
    output: "own.txt"
    shell: "touch {output:q}"

onsuccess:
    print(f"limit {workflow.scheduler.job_rate_limiter}, {workflow.scheduler.subsample} weighed")
"""
    project.write("rules/own.smk", rules)
    project.change("config.yaml", custom_rules=["rules/own.smk"])
    built = project.snakemake("own.txt").check()
    assert re.search(r"limit None, [1-9]\d* weighed", built.output)
