"""Programs in the environments that experiments name: a venv, a uv project, an image."""

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
from caduceus.io.files import sha256
from local_wheels import make_wheels
from projects import EXPERIMENT, ONE_RUN, REPOSITORY, Project

UV = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
OTHERS = ("3.8", "3.9", "3.10", "3.12", "3.13", "3.14")
UNTIL = ("--until", "export_group")
EDITED = {"validate_spec": 1, "export_group": 1}  # as by an edit of a comment
STAND_IN = """\
#!/bin/sh
# A stand-in for Apptainer: it starts what follows the image, on this machine, with another PATH.
while [ "$1" != {image} ]; do shift; done
shift
PATH={bin}:/usr/bin:/bin exec "$@"
"""


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels of the installed wandb and of what it needs, so that no network is used."""
    return make_wheels(tmp_path_factory.mktemp("wheels"), "wandb")


@pytest.fixture
def offline(wheels: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """uv has these wheels and this Python, and nothing of this machine."""
    for name, value in {
        "UV_NO_CONFIG": "1",
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(wheels),
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)


def create(folder: Path) -> Project:
    """Make a project in which `caduceus status` finds the workflow."""
    project = Project.create(folder)
    project.write("Snakefile", f'include: "{REPOSITORY}/Snakefile"\n')
    return project


def make_venv(folder: Path, wheels: Path) -> Path:
    """Make a venv with the real wandb, by the pip of this Python."""
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-compile"]
    subprocess.run([*pip, "--no-index", "--find-links", str(wheels), "wandb"], check=True)
    return python


def attempts(project: Project) -> list[dict[str, Any]]:
    return [project.read_json(f"{run}/train.json")["attempts"][-1] for run in project.runs]


def test_a_program_runs_in_an_interpreter_and_a_change_of_it_trains_nothing(
    tmp_path: Path, wheels: Path
) -> None:
    project = create(tmp_path / "project")
    project.change("experiments/toy.yaml", **ONE_RUN)
    before = project.snakemake("--dry-run", "--quiet", "rules").check()
    project.snakemake(*UNTIL).check()
    [own] = attempts(project)
    assert "program_environment" not in own

    python = make_venv(project.path / ".venv", wheels)
    environment = {"python": ".venv/bin/python"}
    project.change("experiments/toy.yaml", environment=environment)
    assert before.jobs["train"] == 1 and project.planned(*UNTIL) == EDITED
    project.snakemake(*UNTIL).check()
    assert not (project.path / "results/environments").exists()  # nothing trains

    project.change("experiments/toy.yaml", environment=environment, seeds=[0, 1])
    assert project.planned(*UNTIL)["train"] == 1
    project.snakemake(*UNTIL).check()
    assert len(project.runs) == 2
    [new] = [each for each in attempts(project) if "program_environment" in each]
    named = new["program_environment"]
    version = ".".join(map(str, sys.version_info[:3]))
    assert (named["kind"], named["python"]) == ("python", version)
    assert new["usage"]["packages"]["wandb"] == named["wandb"]
    assert new["usage"]["python"] == version
    [made] = (project.path / "results/environments").iterdir()
    assert json.loads(made.read_text())["interpreter"] == str(python)
    assert "caduceus" not in json.loads(made.read_text())["packages"]

    [info] = (project.path / ".venv/lib").glob("python*/site-packages/wandb-*.dist-info")
    info.rename(info.with_name("wandb-99.0.dist-info"))
    assert project.planned(*UNTIL) == {}
    printed = project.caduceus("status").check().output
    assert f"  toy, 2 runs: wandb {named['wandb']} (now 99.0)" in printed

    shutil.rmtree(info.with_name("wandb-99.0.dist-info"))
    project.change("experiments/toy.yaml", environment=environment, seeds=[0, 1, 2])
    refused = project.snakemake(*UNTIL)
    assert refused.code == 1
    assert refused.line("caduceus: ").endswith(
        "environment: .venv/bin/python has no wandb; install it there by `.venv/bin/python -m pip "
        "install wandb`"
    )
    assert refused.line("caduceus: ").startswith("caduceus: experiments/toy.yaml:")
    assert len(project.runs) == 2


@pytest.mark.skipif(UV is None, reason="no uv: pip install uv")
def test_a_program_runs_in_a_uv_project(tmp_path: Path, offline: None) -> None:
    project = create(tmp_path / "project")
    study = project.write(
        "study/pyproject.toml",
        '[project]\nname = "study"\nversion = "0"\ndependencies = ["wandb"]\n'
        # The wheels are for this Python alone.
        f'requires-python = "=={sys.version_info[0]}.{sys.version_info[1]}.*"\n',
    ).parent
    subprocess.run([str(UV), "lock", "-q", "--project", str(study)], check=True)
    project.change("experiments/toy.yaml", **ONE_RUN, environment={"uv": "study"})
    done = project.snakemake().check()
    assert "caduceus: making the environment of study by uv run --locked" in done.output
    [attempt] = attempts(project)
    lock = sha256(study / "uv.lock")
    named = attempt["program_environment"]
    assert (named["kind"], named["sha256"]) == ("uv", lock)
    assert attempt["usage"]["packages"]["wandb"] == named["wandb"]
    assert "torch" not in attempt["usage"]["packages"]
    provenance = project.read_json("results/paper/provenance.json")
    assert [run["program_environment"] for run in provenance["runs"].values()] == [named]
    assert "behind" not in project.caduceus("status").check().output

    project.snakemake("archive").check()
    [path] = (project.path / "results/archive").glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        files = {name.partition("/")[2]: name for name in archive.namelist()}
        assert archive.read(files["project/study/uv.lock"]) == (study / "uv.lock").read_bytes()
        assert "project/study/pyproject.toml" in files
        [stated] = json.loads(archive.read(files["environments.json"]))
        everything = b"".join(archive.read(name) for name in files.values())
    assert (stated["uv"], stated["experiments"], stated["sha256"]) == ("study", ["toy"], lock)
    assert stated["packages"]["wandb"] == named["wandb"]
    assert str(study / ".venv").encode() not in everything

    with (study / "uv.lock").open("a") as stream:
        stream.write("# edited\n")
    assert project.planned(*UNTIL) == {}
    printed = project.caduceus("status").check().output
    assert f"  toy, 1 run: uv.lock {lock[:8]} (now {sha256(study / 'uv.lock')[:8]})" in printed

    # The key changes no id: a run stays the same without it.
    before = project.runs
    project.change("experiments/toy.yaml", environment=None)
    assert project.planned(*UNTIL) == EDITED
    project.snakemake(*UNTIL).check()
    assert project.runs == before


def test_an_image_is_started_by_apptainer(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apptainer is a stand-in here, a script, since Debian has no package of it."""
    project = create(tmp_path / "project")
    python = make_venv(tmp_path / "inside", wheels)
    image = project.write("image.sif", "a stand-in")
    text = STAND_IN.format(image=image, bin=python.parent)
    program = project.write("bin/apptainer", text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    project.change("experiments/toy.yaml", **ONE_RUN, environment={"apptainer": "image.sif"})
    project.snakemake(*UNTIL).check()
    [attempt] = attempts(project)
    assert attempt["program_environment"]["sha256"] == sha256(image)
    assert attempt["program_environment"]["kind"] == "apptainer"
    packages = attempt["usage"]["packages"]
    assert packages["wandb"] == attempt["program_environment"]["wandb"]
    assert {"click", "protobuf", "pyyaml"} <= packages.keys()
    assert "behind" not in project.caduceus("status").check().output


@pytest.mark.soak
@pytest.mark.parametrize("version", OTHERS)
def test_programs_run_under_other_pythons(tmp_path: Path, version: str) -> None:
    """With the newest wandb for each; with a network."""
    found = shutil.which(f"python{version}")
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    python = str(pyenv[-1]) if pyenv else found
    if python is None:
        pytest.skip(f"no Python {version}")
    subprocess.run([python, "-m", "venv", str(tmp_path / "env")], check=True)
    inside = tmp_path / "env/bin/python"
    subprocess.run([str(inside), "-m", "pip", "install", "-q", "wandb"], check=True)
    project = create(tmp_path / "project")
    project.change("experiments/toy.yaml", **ONE_RUN, environment={"python": str(inside)})
    other = EXPERIMENT | ONE_RUN | {"id": "other"}
    project.write_yaml("experiments/other.yaml", other)
    project.change("config.yaml", experiments=["experiments/toy.yaml", "experiments/other.yaml"])
    project.snakemake(*UNTIL).check()
    [attempt] = [each for each in attempts(project) if "program_environment" in each]
    assert attempt["usage"]["python"].startswith(f"{version}.")
    assert attempt["usage"]["packages"]["wandb"] == attempt["program_environment"]["wandb"]
    histories = {(run / "metrics_history.csv").read_text().count("\n") for run in project.runs}
    assert len(histories) == 1
