"""Shared by the workflows: a project that is trained once and then copied; servers, browsers."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser
from debian_packages import UnavailableError
from grid_engine import GridEngine
from program_forks import FRESH
from projects import Project
from reads import watched_afresh
from slurm_cluster import SlurmCluster
from wandb_server import WandbServer


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose `snakemake` has finished. Tests read it and change nothing.

    All processes that made it were new interpreters, as users' are; those of `Project.snakemake`
    elsewhere are forks.
    The first of pytest-xdist's workers that needs it makes it for all.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "trained"
    with shared.joinpath("trained.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "printed.txt").exists():
            shutil.rmtree(folder, ignore_errors=True)
            project = Project.create(folder / "project")
            done = project.snakemake(**watched_afresh(folder / "reads")).check()
            (folder / "printed.txt").write_text(done.output)
    return Project(folder / "project")


@pytest.fixture
def finished(trained: Project, tmp_path: Path) -> Project:
    """A copy of the trained project, elsewhere, to change at will."""
    return trained.copy(tmp_path / "project")


@pytest.fixture
def fresh_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every training program is a new interpreter, as users' are."""
    monkeypatch.setenv(FRESH, "1")


@pytest.fixture
def wandb_server() -> Iterator[WandbServer]:
    """A W&B server of the test's own, with which no client did anything wrong."""
    with WandbServer() as server:
        yield server
    assert server.problems == []
    assert server.doubled == []


@pytest.fixture(scope="session")
def slurm() -> Iterator[SlurmCluster]:
    """A SLURM cluster of one node with four CPUs and two GPUs."""
    try:
        with SlurmCluster() as cluster:
            yield cluster
    except UnavailableError as error:
        pytest.skip(f"no SLURM: {error}")


@pytest.fixture(scope="session")
def gridengine() -> Iterator[GridEngine]:
    """A Grid Engine of one node with four slots and two GPUs."""
    try:
        with GridEngine() as cluster:
            yield cluster
    except UnavailableError as error:
        pytest.skip(f"no Grid Engine: {error}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    try:
        with Browser() as started:
            yield started
    except UnavailableError as error:
        pytest.skip(f"no Chromium: {error}")
