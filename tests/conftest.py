"""Shared by all tests: a throw-away project, and one that is trained once and then copied."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from projects import Project
from slurm_cluster import SlurmCluster, UnavailableError
from wandb_server import WandbServer

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
    """A project whose `snakemake` has finished. Tests read it and change nothing."""
    project = Project.create(tmp_path_factory.mktemp("trained") / "project")
    project.snakemake().check()
    return project


@pytest.fixture
def finished(trained: Project, tmp_path: Path) -> Project:
    """A copy of the trained project, elsewhere, to change at will."""
    shutil.copytree(trained.path, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture
def wandb_server() -> Iterator[WandbServer]:
    """A W&B server of the test's own, with which no client did anything wrong."""
    with WandbServer() as server:
        yield server
    assert server.problems == []
    assert server.doubled == []


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of SLURM share one cluster, so one worker has them all; what takes long comes first."""
    for item in items:
        if "slurm" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("slurm"))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture(scope="session")
def slurm() -> Iterator[SlurmCluster]:
    """A SLURM cluster of one node with four CPUs and two GPUs."""
    try:
        with SlurmCluster() as cluster:
            yield cluster
    except UnavailableError as error:
        pytest.skip(f"no SLURM: {error}")
