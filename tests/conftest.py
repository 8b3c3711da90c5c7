"""Shared by all tests: an untouched project, and the order in which workers take the tests."""

import os
import signal
import sys
from pathlib import Path

import pytest
from projects import Project
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Started in the background of a shell, all below would ignore Ctrl-C and Ctrl-\; by nohup, the end
# of the terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Without bytecode each of a thousand Pythons below would compile all of Caduceus anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Nothing of the developer's own account or settings reaches a test.
for name in [name for name in os.environ if name.startswith("WANDB_")]:
    del os.environ[name]
os.environ["WANDB_ERROR_REPORTING"] = "false"

# All tests of such a file go to one worker, which makes once what they share.
TOGETHER = (
    "unit/paper/test_figure_layout.py",
    "unit/wandb_log/test_wandb_log.py",
    "workflow/test_slurm.py",
    "workflow/test_grid_engine.py",
    "workflow/test_mcp.py",
    "workflow/test_export_folder.py",
    "workflow/test_stitched_logs.py",
    "workflow/test_sweeps.py",
    "workflow/test_interruptions.py",
    "workflow/test_archive.py",
    "workflow/test_failures.py",
    "workflow/test_environments.py",
    "workflow/test_exports.py",
    "workflow/test_latex.py",
    "workflow/test_server_logs.py",
    "workflow/test_faults.py",
    "workflow/test_report.py",
    "workflow/test_site.py",
    "workflow/test_try.py",
    "workflow/test_wheel.py",
    "workflow/test_whole_exports.py",
)
# The longest first, or one worker goes on with them alone; then the other workflows, then units.
FIRST = (
    "workflow/test_slurm.py",
    "workflow/test_try.py",
    "workflow/test_sweeps.py",
    "workflow/test_failures.py",
    "workflow/test_latex.py",
    "workflow/test_environments.py",
    "workflow/test_grid_engine.py",
    "workflow/test_interruptions.py",
    "workflow/test_sweep_trials.py",
    "workflow/test_kinds.py",
    "workflow/test_anonymous_archive.py",
    "workflow/test_exports.py",
    "workflow/test_faults.py",
    "workflow/test_online.py",
    "workflow/test_benchmarks.py",
    "workflow/test_end_to_end.py",
    "workflow/test_merge.py",
    "workflow/test_terminal.py",
    "workflow/test_server_logs.py",
    "workflow/test_init.py",
    "workflow/test_archive.py",
    "workflow",
    "unit/system/test_other_systems.py",
)


class Scheduling(LoadScopeScheduling):
    """Hands each test out by itself, and those of some files to one worker, in our order.

    The marks of pytest-xdist 3.8 don't do that with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file.endswith(TOGETHER) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    config.option.loadscopereorder = False  # by number of tests
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest comes first."""
    places = {f"tests/{name}": place for place, name in enumerate(FIRST)}

    def place(item: pytest.Item) -> int:
        file = item.nodeid.partition("::")[0]
        return places.get(file, places.get(file.rpartition("/")[0], len(places)))

    items.sort(key=place)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An untouched project: one experiment, two variants, two seeds."""
    return Project.create(tmp_path / "project")
