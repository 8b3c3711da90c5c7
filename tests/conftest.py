"""Shared by all tests: a throw-away project, and one that is trained once and then copied."""

import fcntl
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser
from debian_packages import UnavailableError
from projects import Project
from reads import watched
from slurm_cluster import SlurmCluster
from wandb_server import WandbServer
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Started in the background of a shell, all below would ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Nothing of the developer's own account or settings reaches a test.
for name in [name for name in os.environ if name.startswith("WANDB_")]:
    del os.environ[name]
os.environ["WANDB_ERROR_REPORTING"] = "false"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An untouched project: one experiment, two variants, two seeds."""
    return Project.create(tmp_path / "project")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose `snakemake` has finished. Tests read it and change nothing.

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
            done = project.snakemake(**watched(folder / "reads")).check()
            (folder / "printed.txt").write_text(done.output)
    return Project(folder / "project")


@pytest.fixture
def finished(trained: Project, tmp_path: Path) -> Project:
    """A copy of the trained project, elsewhere, to change at will."""
    return trained.copy(tmp_path / "project")


@pytest.fixture
def wandb_server() -> Iterator[WandbServer]:
    """A W&B server of the test's own, with which no client did anything wrong."""
    with WandbServer() as server:
        yield server
    assert server.problems == []
    assert server.doubled == []


# What all tests of such a file share is made once: a SLURM cluster, projects that were trained.
TOGETHER = (
    "workflow/test_slurm.py",
    "workflow/test_sweeps.py",
    "workflow/test_interruptions.py",
    "workflow/test_archive.py",
    "workflow/test_failures.py",
    "workflow/test_exports.py",
    "workflow/test_server_logs.py",
    "workflow/test_faults.py",
)


class Scheduling(LoadScopeScheduling):
    """Hands each test out by itself, and those of some files to one worker, which come first.

    The marks of pytest-xdist 3.8 don't do that with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file.endswith(TOGETHER) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest of the single tests comes first."""
    items.sort(key=lambda item: "mnist1d" not in item.name)


@pytest.fixture(scope="session")
def slurm() -> Iterator[SlurmCluster]:
    """A SLURM cluster of one node with four CPUs and two GPUs."""
    try:
        with SlurmCluster() as cluster:
            yield cluster
    except UnavailableError as error:
        pytest.skip(f"no SLURM: {error}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    try:
        with Browser() as started:
            yield started
    except UnavailableError as error:
        pytest.skip(f"no Chromium: {error}")
