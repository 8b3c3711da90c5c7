"""Read from the server how far runs have come, and write what has changed to their server.json.

A run's export depends on its server.json. That file is written only if the run has changed, so that
the next `snakemake` exports only the changed runs.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError, ServerError
from caduceus.exports.group_names import group_folder
from caduceus.io.files import read_json, write_json
from caduceus.io.names import is_safe_name, quoted
from caduceus.runs.files.plan import Plan
from caduceus.runs.files.server_state import SKIPPED, ServerState
from caduceus.runs.wandb_paths import ProjectPath, RunPath
from caduceus.server.access import check_access
from caduceus.server.client import Server
from caduceus.server.runs import read_state, read_states

_NAMES = 100  # runs in one query
_IN_WORKFLOW = re.compile("[A-Za-z0-9_.-]+")  # its wildcards for the ids of runs


def refresh_planned(
    server: Server,
    project: ProjectPath,
    run_ids: Sequence[str],
    runs: Path,
    unreadable: list[str] | None = None,
) -> tuple[list[str], list[str]]:
    """Update server.json of planned runs.

    Args:
        server: the server.
        project: the project they were logged to.
        run_ids: the runs.
        runs: results/runs.
        unreadable: takes the names of the runs whose state can't be read; they are said on stderr.

    Returns:
        The ids of the changed runs, and of those that the server doesn't have, skipped trials left
        out.
    """
    project = check_access(server, project, must_write=False)
    found: dict[str, ServerState] = {}
    for first in range(0, len(run_ids), _NAMES):
        names = {"name": {"$in": list(run_ids[first : first + _NAMES])}}
        states = read_states(server, project, names, unreadable)
        found |= {state.path.run: state for state in states}
    changed = [name for name in run_ids if name in found and _write_state(runs / name, found[name])]
    missing = [name for name in run_ids if name not in found]
    return changed, [name for name in missing if not _is_skipped(runs / name)]


def refresh_project(
    server: Server,
    project: ProjectPath,
    groups: Sequence[str],
    folder: Path,
    unreadable: list[str] | None = None,
) -> tuple[list[str], list[str]]:
    """Update the list of the runs of a whole W&B project, and server.json of each.

    Args:
        server: the server.
        project: the project, with its entity.
        groups: W&B groups; all runs if empty.
        folder: takes runs.json, which maps a run's id to the folder name of its group, and
            runs/RUN/server.json.
        unreadable: takes the names of the runs whose state can't be read; they are said on stderr.

    Returns:
        The ids of the changed runs, and the ids that can't be names of folders.
    """
    filters = {"group": {"$in": list(groups)}} if groups else {}
    states = list(read_states(server, project, filters, unreadable))
    usable = [state for state in states if _is_usable(state.path.run)]
    changed = [s.path.run for s in usable if _write_state(folder / "runs" / s.path.run, s)]
    index = {state.path.run: group_folder(state.group) for state in usable}
    _write_changed(folder / "runs.json", index)
    return changed, [state.path.run for state in states if state not in usable]


def find_run(server: Server, project: ProjectPath, run_id: str) -> ServerState:
    """Read how far one run has come.

    Raises:
        ServerError: the server doesn't have it.
    """
    path = check_access(server, project, must_write=False).run(run_id)
    state = read_state(server, path)
    if state is not None and state.path.run != run_id:
        raise ServerError(f"the server answered with run {quoted(state.path.run)}", str(path))
    if state is None:
        raise ServerError(
            f"no such run on {server.account.base_url}; run it where the others ran, or set "
            "export.source to local to train it here",
            str(path),
        )
    return state


def skipped_run(path: RunPath) -> ServerState:
    """Return the state of a trial that was skipped because its sweep had reached its target."""
    return ServerState(path=path, group="", state=SKIPPED, rows=0, last_step=-1, updated_at="")


def planned_runs(plans: Iterable[Path]) -> list[str]:
    """Return the ids of the runs in several plans, results/experiments/ID.json."""
    return [run.id for plan in plans for run in Plan.read(plan).runs]


def _is_usable(run_id: str) -> bool:
    """Whether the workflow can handle a run of this id, and name a download after it."""
    is_matched = _IN_WORKFLOW.fullmatch(run_id) is not None and run_id.strip(".") != ""
    return is_matched and is_safe_name(run_id) and is_safe_name(f"run-{run_id}.wandb.part")


def _is_skipped(folder: Path) -> bool:
    state = ServerState.read_if_there(folder / "server.json")
    return state is not None and state.state == SKIPPED


def _write_state(folder: Path, state: ServerState) -> bool:
    return _write_changed(folder / "server.json", state.to_json())


def _write_changed(path: Path, value: Mapping[str, Any]) -> bool:
    """Write a file unless it holds this value already; return whether it was written."""
    with suppress(ResultError):  # a damaged file is written again
        if path.exists() and read_json(path) == value:
            return False
    write_json(path, value)
    return True
