"""The doctor: one line for each thing, with its level and its mend."""

import os
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from caduceus.errors import CaduceusError
from caduceus.io.validation import validate
from caduceus.overview.doctor.environments import look_at_environments
from caduceus.overview.doctor.outside import look_at_account, look_at_env_file, look_at_git
from caduceus.overview.doctor.packages import (
    cuda_of_torch,
    installed_versions,
    locked_versions,
    look_at_gpus,
    look_at_namesake,
    look_at_packages,
    look_at_python,
    look_at_requirements,
    look_at_wandb,
    own_requirements,
)
from caduceus.overview.doctor.storage import look_at_file_system, look_at_room, look_at_scratch
from caduceus.project.project import load_project
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.system import wandb_private
from fake_nvml import FakeNvml
from projects import CONFIG, EXPERIMENT, Project

PROJECT = ProjectPath("", "p")
MOUNTS = (("/", "ext4"), ("/home", "nfs4"), ("/home/me/my work", "tmpfs"))


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_python_is_new_enough() -> None:
    assert look_at_python().level == "fine"
    assert str(look_at_python((3, 9, 1))) == (
        "error   Python: 3.9.1, and 3.11 is the oldest; PYTHON=python3.12 make"
    )


def test_packages_are_held_against_the_lock() -> None:
    assert look_at_packages({"a": "1"}, {"a": "1", "b": "2"}).text == "all 1 as locked"
    differs = look_at_packages({"a": "1", "b": "1"}, {"a": "2", "b": "1"})
    assert (differs.level, differs.text) == ("warning", "1 of 2 differ from the lock: a 2 for 1")
    missing = look_at_packages({"a": "1", "b": "1"}, {"b": "3"})
    assert (missing.level, missing.text) == ("error", "missing: a")
    locked = locked_versions()
    assert {"snakemake", "wandb", "torch"} <= locked.keys()
    assert installed_versions()["torch"] == locked["torch"]  # whose build adds +cpu


def test_an_installed_package_is_held_against_its_requirements() -> None:
    required = ["a>=2", "b-b", 'c; extra == "more"', 'd; python_version < "3"']
    fine = look_at_requirements(required, {"a": "2.1rc1", "b-b": "1"})
    assert (fine.level, fine.text) == ("fine", "all 2 as caduceus-ml requires them")
    missing = look_at_requirements(required, {"a": "2"})
    assert str(missing) == "error   packages: missing: b-b; pip install --upgrade caduceus-ml"
    old = look_at_requirements(required, {"a": "1", "b-b": "1"})
    assert (old.level, old.text) == ("error", "a 1, not >=2")
    assert own_requirements() == []  # a clone has its lock


def test_the_package_of_others_with_the_same_name_is_an_error(tmp_path: Path) -> None:
    for name, start in (("caduceus", "cli"), ("caduceus", "__main__"), ("caduceus_ml", "cli")):
        folder = tmp_path / start / f"{name}-0.1.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
        (folder / "entry_points.txt").write_text(
            f"[console_scripts]\ncaduceus = caduceus.{start}:main\n"
        )
    (found,) = look_at_namesake(distributions(path=[str(tmp_path / "cli")]))
    assert found.level == "error"
    assert found.text.startswith("the package caduceus 0.1, of others, is installed")
    assert not [*look_at_namesake(distributions(path=[str(tmp_path / "__main__")]))]


def test_a_pytorch_that_the_driver_is_too_old_for_is_an_error() -> None:
    assert [f.level for f in look_at_gpus("12.6", FakeNvml())] == ["fine"]
    assert [f.level for f in look_at_gpus("13.0", FakeNvml())] == ["error"]
    assert [f.level for f in look_at_gpus(None, FakeNvml())] == ["warning"]
    assert [f.level for f in look_at_gpus("12.6", FakeNvml(is_there=False))] == ["warning"]
    assert [f.level for f in look_at_gpus(None, FakeNvml(is_there=False))] == ["fine"]
    for is_there, text in ((True, "; PyTorch isn't"), (False, "none, and PyTorch isn't")):
        (found,) = look_at_gpus(None, FakeNvml(is_there=is_there), has_torch=False)
        assert found.level == "fine" and f"{text} installed here" in found.text
    (found,) = look_at_gpus("12.6", FakeNvml())
    assert "3 (NVIDIA H100), driver 570.10 for CUDA 12.8" in found.text


@pytest.mark.slow
def test_the_cuda_of_pytorch_is_found_without_importing_it() -> None:
    import torch

    assert cuda_of_torch() == torch.version.cuda


@pytest.mark.parametrize(
    ("folder", "level", "kind"),
    [
        ("/srv/x", "fine", "ext4"),
        ("/home/you", "warning", "NFS"),
        ("/home/me/my work/x", "warning", "tmpfs"),
    ],
)
def test_the_kind_of_file_system_is_that_of_the_nearest_mount(
    folder: str, level: str, kind: str
) -> None:
    found = look_at_file_system(Path(folder), MOUNTS)
    assert found.level == level
    assert found.text.startswith(kind)


def test_more_runs_than_the_disk_has_room_for_are_an_error(tmp_path: Path) -> None:
    assert "error" not in [found.level for found in look_at_room(tmp_path, 1)]
    found = {each.name: each for each in look_at_room(tmp_path, 10**9)}
    assert found["disk"].level == "error"
    assert "1000000000 runs want" in found["disk"].text


def test_scratch_is_a_folder_that_can_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST_DISK", str(tmp_path))
    levels = {
        None: [],
        "$HOST_DISK": ["fine"],
        str(tmp_path / "missing"): ["error"],
        "$NOT_SET": ["warning"],
    }
    for where, expected in levels.items():
        assert [found.level for found in look_at_scratch(where)] == expected


def test_the_account_is_needed_online_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [found.level for found in look_at_account(PROJECT, is_online=False)] == ["fine"]
    assert [found.level for found in look_at_account(PROJECT, is_online=True)] == ["error"]
    key = "0123456789" * 4
    monkeypatch.setenv("WANDB_API_KEY", key)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # where nobody listens
    for is_online, level in ((False, "warning"), (True, "error")):
        first, second = look_at_account(PROJECT, is_online)
        assert (first.level, second.level) == ("fine", level)
        assert key not in f"{first} {second}"


def test_a_key_in_git_or_for_all_to_read_is_said(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert list(look_at_env_file(tmp_path)) == []
    project.write(".env", "WANDB_API_KEY=x\n").chmod(0o644)
    assert [found.mend for found in look_at_env_file(tmp_path)] == ["chmod 600 .env"]
    (tmp_path / ".env").chmod(0o600)
    assert [found.level for found in look_at_env_file(tmp_path)] == ["fine"]
    for words in (["init", "-q"], ["add", ".env"]):
        project.run("git", *words).check()
    assert [found.level for found in look_at_env_file(tmp_path)] == ["error"]


def test_a_wandb_that_lacks_names_says_what_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [found.level for found in look_at_wandb()] == ["fine"]
    monkeypatch.delattr("wandb.sdk.lib.wbauth.authenticate_session")
    (found, _) = look_at_wandb()
    assert (found.level, found.name) == ("warning", "wandb")
    assert (
        "lacks wandb.sdk.lib.wbauth:authenticate_session, so that the upload to a W&B server is off"
        in found.text
    )
    with pytest.raises(CaduceusError, match="the upload to a W&B server"):
        wandb_private.check(wandb_private.UPLOAD)
    monkeypatch.setattr(
        "wandb.sdk.lib.service.service_connection.ServiceConnection.init_sync",
        lambda self, paths, settings, *, live: None,
    )
    monkeypatch.setattr("wandb.sdk.lib.wbauth.authenticate_session", print, raising=False)
    (found, _) = look_at_wandb()
    assert "init_sync(cwd, entity, job_type, project, run_id, tag_replacements)" in found.text


def test_another_wandb_is_said_to_be_untested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb_private, "version", lambda: "0.40.1")
    assert [str(found) for found in look_at_wandb()] == [
        "warning wandb: 0.40.1; tested are 0.30 and 0.31"
    ]
    monkeypatch.setattr(wandb_private, "version", lambda: "0.30.0")
    (found,) = look_at_wandb()
    assert found.level == "fine" and "kill -9" in found.text


def test_environments_are_started_and_none_is_made(project: Project) -> None:
    os.chdir(project.path)
    project.change("experiments/toy.yaml", environment={"python": sys.executable})
    uv = EXPERIMENT | {"id": "other", "environment": {"uv": "study"}}
    project.write_yaml("experiments/other.yaml", uv)
    gone = EXPERIMENT | {"id": "gone", "environment": {"python": "gone/python"}}
    project.write_yaml("experiments/gone.yaml", gone)
    config = CONFIG | {"experiments": ["experiments/*.yaml"]}
    loaded = load_project(validate(config, "config", lambda _: ""), ["config.yaml"])
    found = {each.name: str(each) for each in look_at_environments(loaded, project.path)}
    python = ".".join(map(str, sys.version_info[:3]))
    assert found == {
        f"environment {sys.executable}": f"fine    environment {sys.executable}: starts; Python "
        f"{python}, wandb {wandb_private.version()}",
        "environment study": "fine    environment study: experiments/other.yaml:21 names it, and "
        "it isn't made yet; the first build that trains makes it",
        "environment gone/python": "error   environment gone/python: gone/python isn't a file; "
        "name the interpreter of an environment; experiments/gone.yaml:21 names it",
    }
    assert not (project.path / "results").exists() and not (project.path / "study").exists()


def test_git_without_a_commit_and_with_changes_is_said(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert look_at_git(tmp_path).level == "warning"
    project.write("a", "1")
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "a"], [*who, "commit", "-qm", "a"]):
        project.run("git", *words).check()
    assert look_at_git(tmp_path).level == "fine"
    project.write("a", "2")
    assert "unknown to git: 1" in look_at_git(tmp_path).text
