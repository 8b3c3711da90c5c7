"""Shared by all tests: an untouched project, and the order in which workers take the tests."""

import gc
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

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

# All tests of such a file of workflows go to one worker, which makes once what they share. Those of
# each file of units do: so one worker imports what only they need, and of four thousand tests that
# it handed out one by one, the scheduler would count after each the ones that are left.
TOGETHER = (
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
# So do those that take forks of a process that has imported Snakemake, and those that import wandb
# or torch.
SHARING = {
    "forks": (
        "tests/unit/commands/test_json.py",
        "tests/unit/overview/test_leftovers.py",
        "tests/unit/overview/test_merging.py",
        "tests/unit/project/test_abbreviations.py",
        "tests/unit/project/test_conventions.py",
        "tests/unit/project/test_planned.py",
    ),
    "imports": (
        "tests/unit/overview/test_doctor.py",
        "tests/unit/paper/test_anonymity.py",
        "tests/unit/sweeps/test_suggestions.py",
        "tests/unit/tracking/test_checkpoints.py",
        "tests/unit/training/test_installed_packages.py",
        "tests/unit/wandb_log/test_writing.py",
    ),
}
SCOPES = {file: name for name, files in SHARING.items() for file in files}
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
    *(file.removeprefix("tests/") for files in SHARING.values() for file in files),
    "unit/paper/test_sweep_figures.py",
    "unit/system/test_command_server.py",
    "unit/tries/test_session.py",
    "unit/system/preloading/test_starting.py",
    "unit/system/test_other_systems.py",
    "unit/paper/test_figure_layout.py",
    "unit/exports/test_sweep_importance.py",
    "unit/paper/test_figures.py",
    "unit/paper/test_tables.py",
    "unit/server/test_answers.py",
    "unit/wandb_log/test_columns.py",
)


class Scheduling(LoadScopeScheduling):
    """Hands out each file of units, and of workflows each test or some files, in our order.

    The marks of pytest-xdist 3.8 don't do that with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith("tests/unit/"):
            return SCOPES.get(file, file)
        return file if file.endswith(TOGETHER) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    config.option.loadscopereorder = False  # by number of tests
    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Look for no garbage among the 400,000 objects of modules and tests, which all stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


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
