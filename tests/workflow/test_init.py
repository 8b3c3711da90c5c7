"""A project of one's own, from nothing and around a program that is there."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from projects import Project

PLAIN = """\
import wandb

with wandb.init(project="mine", config={"rate": 0.1}) as run:
    for step in range(3):
        run.log({"loss": 1 / (step + 1)})
"""


def snakemake(project: Project, *arguments: str) -> str:
    """With the project's own Snakefile."""
    return project.snakemake("--snakefile", "Snakefile", *arguments).check().output


def test_a_new_project_works_at_once(tmp_path: Path) -> None:
    printed = Project(tmp_path).caduceus("init", "study").check().output
    project = Project(tmp_path / "study")
    words = [line.strip() for line in printed.partition("Now:\n")[2].splitlines()]
    assert words[:2] == ["cd study", "snakemake --cores 2"]
    project.change("experiments/first.yaml", seeds=[0])
    project.run(*words[1].split()).check()

    assert len(project.runs) == 2
    assert "| 0.1 " in project.run(*words[2].split()).check().output
    assert (project.path / "results/paper/figures/learning_curves.pdf").exists()
    subprocess.run(["git", "init", "-q"], cwd=project.path, check=True)
    listed = subprocess.run(
        ["git", "status", "--short", "-uall"], cwd=project.path, capture_output=True, text=True
    ).stdout
    assert "results/" not in listed and "experiments/train.py" in listed
    assert "Nothing to be done" in snakemake(project)
    assert (project.path / ".snakemake/caduceus.json").exists()  # who has held the lock


def test_a_plain_program_is_taken_as_it_is(tmp_path: Path) -> None:
    project = Project(tmp_path)
    program = project.write("code/train.py", PLAIN)
    project.write(".gitignore", "own\n")
    project.caduceus("init", ".", "--program", "code/train.py").check()
    snakemake(project, "results/groups/baseline/runs.csv", "results/paper/tables/results.md")

    assert program.read_text() == PLAIN
    assert (tmp_path / ".gitignore").read_text().startswith("own\n")
    runs = (tmp_path / "results/groups/baseline/runs.csv").read_text().splitlines()
    assert len(runs) == 2 and "summary.loss" in runs[0]
    assert "| 0.3333 |" in (tmp_path / "results/paper/tables/results.md").read_text()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    project = Project(tmp_path)
    own = project.write("config.yaml", "own: 1\n")
    finished = project.caduceus("init", ".")

    assert finished.code == 1
    assert finished.line() == (
        "caduceus init: config.yaml: exists already; choose another name with --config"
    )
    assert own.read_text() == "own: 1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_a_program_may_have_a_configuration_of_its_own(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("train.py", PLAIN)
    own = project.write("config.yaml", "own: 1\n")
    words = ("init", ".", "--program", "train.py", "--config", "caduceus.yaml")
    project.caduceus(*words).check()
    assert re.search(r"^train +1$", snakemake(project, "--dry-run"), re.MULTILINE)
    assert own.read_text() == "own: 1\n"
    refused = project.caduceus(*words[:-1], "study.yaml").line()
    assert refused == "caduceus init: Snakefile: exists already; choose another folder"


def test_a_program_outside_the_folder_is_refused(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("train.py", PLAIN)
    finished = project.caduceus("init", "study", "--program", "train.py")
    assert "isn't inside study; the project's folder must hold it" in finished.line()
    finished = project.caduceus("init", "study", "--program", "study/train.py")
    assert "doesn't exist" in finished.line()


@pytest.mark.parametrize("name", [".gitignore", ".env.example", ".mcp.json", "AGENTS.md"])
def test_a_folder_in_a_files_place_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "new" / name).mkdir(parents=True)
    said = Project(tmp_path).caduceus("init", "new").line()
    assert said == f"caduceus init: new/{name}: is a folder; move it away, as a file is needed"
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]


def test_a_gitignore_that_is_there_gets_what_it_lacks(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("train.py", PLAIN)
    content = (
        b"\xef\xbb\xbf.snakemake\r\n# gr\xf6\xdfe\r\n!.env\r\n/.env\r\n!/.env\r\n*.pt\r\nresults/"
    )
    (tmp_path / ".gitignore").write_bytes(content)
    printed = project.caduceus("init", ".", "--program", "train.py").check().output
    added = b"\r\n/.env\r\n__pycache__/\r\n"
    assert (tmp_path / ".gitignore").read_bytes() == content + added
    assert ".gitignore (added: /.env __pycache__/)" in printed
    project.write("config.yaml", "")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for name in ("results/x", ".snakemake/x", ".env"):
        ignored = subprocess.run(["git", "check-ignore", "-q", name], cwd=tmp_path)
        assert ignored.returncode == 0, name


def test_a_killed_snakemake_goes_on_without_an_option(tmp_path: Path) -> None:
    """Snakemake itself, `plan` and `status`, in a project that `init` has made."""
    Project(tmp_path).caduceus("init", "study").check()
    project = Project(tmp_path / "study")
    project.change("experiments/first.yaml", seeds=[0])
    snakemake(project, "--until", "init_run")
    for place in ("runs/{run}/run.json", "runs/{run}/params.json"):
        for run in project.runs:
            marked = f"results/{place.format(run=run.name)}"
            name = base64.b64encode(marked.encode()).decode()
            project.write(f".snakemake/incomplete/{name}", "")
    assert "init_run" in snakemake(project, "--dry-run")
    assert "2 runs to train" in project.caduceus("plan").check().output
    assert "to do" in project.caduceus("status").check().output


def test_jobs_run_under_the_interpreter_that_runs_snakemake(tmp_path: Path) -> None:
    """No environment is activated, and PATH has another `python` or none."""
    Project(tmp_path).caduceus("init", "study").check()
    project = Project(tmp_path / "study")
    project.change("experiments/first.yaml", seeds=[0])
    project.write("bin/python", "#!/bin/sh\nexit 7\n").chmod(0o755)
    words = [sys.executable, "-m", "snakemake", "--cores", "2", "--until", "init_run"]
    path = f"{project.path / 'bin'}:/usr/bin:/bin"
    done = subprocess.run(
        words, cwd=project.path, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert all((run / "run.json").exists() for run in project.runs)
