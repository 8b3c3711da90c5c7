"""The wheel, installed into an environment of its own, works as the clone does."""

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from caduceus.project.command_digests import PACKAGE, command_digests

REPOSITORY = Path(__file__).parents[2]
COMMANDS = ("validate_spec", "export_run", "make_table", "make_report")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it; all that it depends on is taken from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).exists():  # else it is deleted, and not committed yet
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / "source" / name, follow_symlinks=False)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), "./source"]
    subprocess.run(build, cwd=folder, check=True)
    (wheel,) = folder.glob("*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = str(environment / "bin/python")
    subprocess.run([*pip, f"--python={python}", "install", "--no-deps", str(wheel)], check=True)
    paths = {"base": str(environment), "platbase": str(environment)}
    site = Path(sysconfig.get_path("purelib", vars=paths))
    # A line of a .pth file adds a folder, and not what that folder's own .pth files add: the
    # editable install of this environment stays out.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (environment / "bin/snakemake").write_text(
        f"#!{python}\nimport sys\nfrom snakemake.cli import main\nsys.exit(main())\n"
    )
    (environment / "bin/snakemake").chmod(0o755)
    return environment / "bin"


def run(bin: Path, folder: Path, *words: str) -> str:
    """Run a program of the environment; returns what it prints."""
    done = subprocess.run(
        [str(bin / words[0]), *words[1:]],
        cwd=folder,
        env={"PATH": f"{bin}:/usr/bin:/bin", "HOME": str(folder), "WANDB_ERROR_REPORTING": "false"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_its_digests_are_those_of_the_clone(installed: Path, tmp_path: Path) -> None:
    code = (
        "import caduceus, json; from caduceus.project.command_digests import command_digests;"
        f"print(json.dumps([caduceus.__file__, command_digests({COMMANDS})]))"
    )
    place, digests = json.loads(run(installed, tmp_path, "python", "-c", code))
    assert Path(place).parent != PACKAGE
    assert digests == command_digests(COMMANDS)


def test_a_new_project_is_planned_and_its_state_shown(installed: Path, tmp_path: Path) -> None:
    run(installed, tmp_path, "caduceus", "init", "study")
    study = tmp_path / "study"
    assert "to do" in run(installed, study, "caduceus", "status")
    planned = run(installed, study, "snakemake", "--dry-run", "--cores", "1")
    assert "export_run" in planned
