"""Bringing the runs of a project to the server: those that have ended, and those that run."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

from caduceus.errors import CaduceusError, ResultError
from caduceus.runs.attempts import read_attempts
from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder
from caduceus.runs.further import with_further_runs
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.client import Server
from caduceus.server.run_sync import (
    Delivery,
    compare,
    deliver,
    follow,
    has_logged,
    is_running,
    logs_of,
    read_delivery,
)
from caduceus.server.runs import RunState, check_access, path_on_server, read_states
from caduceus.system.wandb_account import find_account

_LOOKS_S = 5.0  # how often to look for runs that have begun or ended
_AGAIN_S = 60.0  # before what has failed is tried again
_NAMES = 100  # of runs, in one question about their states


class Courier:
    """Delivers runs with an account, several at a time.

    Args:
        server: where to.
        results: the folder results/.
        jobs: how many runs are sent at a time.
        patience_s: how long to wait for a server that doesn't answer.
    """

    def __init__(self, server: Server, results: Path, jobs: int, patience_s: float):
        server.account.use(results / "logs")
        self._server = server
        self._results = results
        self._jobs = jobs
        self._patience_s = patience_s
        self._projects: dict[ProjectPath, ProjectPath] = {}  # as planned: with its entity
        self._lock = threading.Lock()

    def sync(self, folders: Sequence[RunFolder]) -> Iterator[tuple[RunFolder, Delivery]]:
        """Deliver runs that have ended; yields each with what was noted, as it is done.

        What was delivered, and has changed on neither side since, isn't sent or compared again.

        Raises:
            AccountError: the account is wrong, or may not write there.
            ServerError: the server can't be reached.
        """
        projects = [(folder, self._project(folder)) for folder in folders]
        states = self._states(projects)
        stopped = threading.Event()
        with ThreadPoolExecutor(self._jobs) as pool:
            waiting: dict[Future[Delivery], RunFolder] = {}
            try:
                for folder, _ in projects:
                    known = read_delivery(folder)
                    if known and _is_settled(folder, known, self._server, states):
                        yield folder, known
                    else:
                        waiting[pool.submit(self._deliver, folder, stopped)] = folder
                for done in as_completed(waiting):
                    yield waiting[done], done.result()
            except BaseException:  # Ctrl-C, or the caller has left
                stopped.set()
                pool.shutdown(cancel_futures=True)
                raise

    def watch(self, names: Sequence[str], stopped: threading.Event) -> None:
        """Deliver runs as they are logged and once they have ended; says what it does.

        Args:
            names: the runs; returns when these have ended. All there are and will be if empty.
            stopped: ends it.
        """
        at_work: dict[str, Future[Delivery | None]] = {}
        rests_until: dict[str, float] = {}
        with ThreadPoolExecutor(self._jobs) as pool:
            while not stopped.is_set():
                for name in [name for name, job in at_work.items() if job.done()]:
                    if not _report(name, at_work.pop(name)):
                        rests_until[name] = time.monotonic() + _AGAIN_S
                there = (self._results / "runs").is_dir()
                for folder in run_folders(self._results, names) if there else []:
                    name = folder.path.name
                    if name in at_work or time.monotonic() < rests_until.get(name, 0):
                        continue
                    if is_running(folder):
                        at_work[name] = pool.submit(self._follow, folder, stopped)
                    elif has_ended(folder) and not _was_sent(folder):
                        at_work[name] = pool.submit(self._deliver, folder, stopped)
                if names and not at_work:
                    return
                stopped.wait(_LOOKS_S if not names else 0.5)
        for name, job in at_work.items():
            _report(name, job)

    def _project(self, folder: RunFolder) -> ProjectPath:
        """Return the project a run goes to; the account's access to it is checked once."""
        project = project_of(folder)
        with self._lock:
            if project not in self._projects:
                self._projects[project] = check_access(self._server, project)
            return self._projects[project]

    def _states(self, projects: Sequence[tuple[RunFolder, ProjectPath]]) -> dict[str, RunState]:
        """What the server says of runs that were delivered earlier, by their paths there."""
        by_project: dict[ProjectPath, list[str]] = {}
        for folder, project in projects:
            if read_delivery(folder):
                path = path_on_server(Identity.read(folder.run_json), project)
                by_project.setdefault(project, []).append(path.run)
        found = {}
        for project, names in by_project.items():
            for first in range(0, len(names), _NAMES):
                wanted = {"name": {"$in": names[first : first + _NAMES]}}
                for state in read_states(self._server, project, wanted):
                    found[str(state.path)] = state
        return found

    def _deliver(self, folder: RunFolder, stopped: threading.Event) -> Delivery:
        project = self._project(folder)
        return deliver(folder, self._server, project, self._patience_s, stopped.is_set)

    def _follow(self, folder: RunFolder, stopped: threading.Event) -> None:
        follow(folder, self._server, self._project(folder), self._patience_s, stopped.is_set)


def run_folders(results: Path, names: Sequence[str]) -> list[RunFolder]:
    """The folders of runs: those named, or all that are there.

    Raises:
        ResultError: one that is named isn't there, or there are none at all.
    """
    base = results / "runs"
    if not base.is_dir():
        raise ResultError("no such folder; work in a project that has runs", str(base))
    paths = sorted(path for path in base.glob("*") if path.is_dir())
    found = [folder for path in paths for folder in with_further_runs(RunFolder(path))]
    by_name = {folder.path.name: folder for folder in found}
    for name in names:
        if name not in by_name:
            raise ResultError(f"no such run; see {base}", name)
    return [by_name[name] for name in names or by_name]


def project_of(folder: RunFolder) -> ProjectPath:
    """Return the project that a run is planned for; its entity may be the account's default."""
    identity = Identity.read(folder.run_json)
    return ProjectPath(identity.entity or "", identity.project)


def has_ended(folder: RunFolder) -> bool:
    """Whether the run was trained here, and has all its artifacts."""
    names = ("train.json", "upload.json")
    return all((folder.path / name).exists() for name in names) and has_logged(folder)


def has_nothing_to_send(folder: RunFolder) -> bool:
    """Whether the run has logged nothing, as a trial that was skipped, or was made elsewhere."""
    if (folder.path / "train.json").exists():
        return not has_logged(folder)
    return (folder.path / "server.json").exists() and not read_attempts(folder.attempts)


def _was_sent(folder: RunFolder) -> bool:
    known = read_delivery(folder)
    return bool(known and known["state"] != "pending" and known["logs"] == logs_of(folder))


def _is_settled(
    folder: RunFolder, known: Delivery, server: Server, states: Mapping[str, RunState]
) -> bool:
    state = states.get(known["path"])
    return (
        known["state"] == "delivered"
        and known["server"] == server.account.base_url
        and known["logs"] == logs_of(folder)
        and state is not None
        and state.updated_at == known["updated_at"]
    )


def _report(name: str, job: "Future[Delivery | None]") -> bool:
    """Say how a job went, and return whether it went well."""
    try:
        delivery = job.result()
    except Exception as error:  # whatever it is, other runs go on
        what = str(error) if isinstance(error, CaduceusError) else repr(error)
        print(f"{name}: {what}", flush=True)
        return False
    if delivery is None:
        return True
    print(describe(name, delivery), flush=True)
    return bool(delivery["state"] == "delivered")


def describe(name: str, delivery: Delivery) -> str:
    """A delivery in lines: the run, and what is wrong with it."""
    if delivery["state"] == "pending":
        return f"{name}: pending: {delivery['error']}"
    return "\n".join(
        [
            f"{name}: {delivery['state']}, {delivery['server']} {delivery['path']}",
            *(f"{name}: differs: {line}" for line in delivery["differences"]),
        ]
    )


def compare_run(folder: RunFolder, server: Server) -> list[str]:
    """Each difference between a run that was trained here and the server's.

    Raises:
        ResultError: it wasn't trained here.
        ServerError: the server hasn't got it, or can't be asked.
    """
    if not (folder.path / "train.json").exists():
        raise ResultError("it wasn't trained here: nothing to compare", folder.path.name)
    identity = Identity.read(folder.run_json)
    project = check_access(server, project_of(folder), must_write=False)
    _, found = compare(folder, server, path_on_server(identity, project), with_files=True)
    return found


def deliver_now(folder: RunFolder) -> str:
    """Deliver a run that is tracked online; returns what is wrong, and nothing if all is well.

    Nothing that is wrong with a server costs a run: it is kept here, and `sync` delivers it.
    """
    if not has_logged(folder):
        return ""
    identity = Identity.read(folder.run_json)
    try:
        server = Server(find_account(), identity.patience_s)
        courier = Courier(server, folder.results, 1, identity.patience_s)
        ((_, delivery),) = courier.sync([folder])
    except CaduceusError as error:
        return f"{folder.path.name}: {error}; `snakemake --cores 1 sync` delivers it later"
    return "" if delivery["state"] == "delivered" else describe(folder.path.name, delivery)
