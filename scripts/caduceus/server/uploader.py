"""Upload the runs of a project to the server: those that have ended, and those that are running."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from caduceus.errors import CaduceusError, ResultError
from caduceus.io.phrases import printable
from caduceus.runs.attempts import read_attempts
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.folder import RunFolder
from caduceus.runs.further import with_further_runs
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.access import check_access
from caduceus.server.client import Server
from caduceus.server.run_sync import (
    compare_with_server,
    has_logged,
    is_running,
    log_sizes,
    sync_live,
    sync_run,
)
from caduceus.server.runs import path_on_server, read_states
from caduceus.server.sync_record import SyncRecord, read_sync_record
from caduceus.system.wandb_account import find_account

_POLL_S = 5.0  # between two looks for runs that have started or ended
_RETRY_S = 60.0  # before a failed upload is retried
_NAMES = 100  # runs in one query of their states


class Uploader:
    """Uploads runs, several at a time.

    Args:
        server: the server, with the account.
        results: the folder results/.
        jobs: how many runs to upload at a time.
        patience_s: how long to wait for a server that doesn't answer, in seconds.
    """

    def __init__(self, server: Server, results: Path, jobs: int, patience_s: float):
        server.account.use(results / "logs")
        self._server = server
        self._results = results
        self._jobs = jobs
        self._patience_s = patience_s
        self._projects: dict[ProjectPath, ProjectPath] = {}  # from config.yaml: with its entity
        self._lock = threading.Lock()

    def sync(self, folders: Sequence[RunFolder]) -> Iterator[tuple[RunFolder, SyncRecord]]:
        """Upload runs that have ended; yield each with its record when it is done.

        A run that was uploaded, and has changed on neither side since, is neither uploaded nor
        compared again.

        Raises:
            AccountError: the key is wrong, or the account may not write to the project.
            ServerError: the server can't be reached.
        """
        projects = [(folder, self._project(folder)) for folder in folders]
        states = self._states(projects)
        stopped = threading.Event()
        with ThreadPoolExecutor(self._jobs) as pool:
            jobs: dict[Future[SyncRecord], RunFolder] = {}
            try:
                for folder, _ in projects:
                    record = read_sync_record(folder)
                    if record and _is_unchanged(folder, record, self._server, states):
                        yield folder, record
                    else:
                        jobs[pool.submit(self._sync_run, folder, stopped)] = folder
                for done in as_completed(jobs):
                    yield jobs[done], done.result()
            except BaseException:  # Ctrl-C, or the caller has closed this generator
                stopped.set()
                pool.shutdown(cancel_futures=True)
                raise

    def watch(self, names: Sequence[str], stopped: threading.Event) -> bool:
        """Upload runs while they are logged and once they have ended; print each result.

        An upload that failed is tried again after a minute, but not that of a named run that has
        ended. A run whose records can't be read is left out until they can, which is printed once,
        and again at the end.

        Args:
            names: the runs; return when they have ended. If empty, all runs, also future ones.
            stopped: set to end it.

        Returns:
            Whether none was left out at the end.

        Raises:
            CaduceusError: uploads of named runs that have ended failed, or aren't equal there.
        """
        jobs: dict[str, Future[SyncRecord | None]] = {}
        live: set[str] = set()  # runs that were running when their job began
        retry_at: dict[str, float] = {}
        failed: dict[str, str] = {}
        damaged: dict[str, str] = {}
        with ThreadPoolExecutor(self._jobs) as pool:
            while not stopped.is_set():
                for name in [name for name, job in jobs.items() if job.done()]:
                    failed[name], is_sent = _report(name, jobs.pop(name))
                    if not failed[name]:
                        del failed[name]
                    elif names and name not in live:
                        retry_at[name] = math.inf
                    else:
                        retry_at[name] = time.monotonic() + _RETRY_S
                        again = "" if is_sent else f"; tried again in {_RETRY_S:.0f} s"
                        print(f"{failed[name]}{again}", flush=True)
                has_runs = (self._results / "runs").is_dir()
                said, damaged = damaged, {}
                for folder in run_folders(self._results, names) if has_runs else []:
                    name = folder.path.name
                    if name in jobs or time.monotonic() < retry_at.get(name, 0):
                        continue
                    try:
                        if upload := self._upload_of(folder):
                            jobs[name] = pool.submit(upload, folder, stopped)
                            (live.add if upload == self._sync_live else live.discard)(name)
                    except ResultError as error:  # costs no other run
                        damaged[name] = str(error)
                        if said.get(name) != damaged[name]:
                            print(printable(f"{name}: left out: {error}"), flush=True)
                waits = any(time.monotonic() < at < math.inf for at in retry_at.values())
                if names and not jobs and not waits:
                    break
                stopped.wait(_POLL_S if not names else 0.5)
        for name, job in jobs.items():  # it was stopped
            if what := _report(name, job)[0]:
                print(what, flush=True)
        for name in damaged:
            print(f"left out, as its files are damaged: {name}", flush=True)
        if failed and not stopped.is_set():
            lines = [line for what in failed.values() for line in what.splitlines()]
            raise CaduceusError("; ".join(lines))
        return not damaged

    def _upload_of(self, folder: RunFolder) -> Callable[..., SyncRecord | None] | None:
        """Return what uploads a run as it stands; None if nothing of it is left to upload.

        Raises:
            ResultError: a record of the run can't be read.
        """
        if is_running(folder):
            upload: Callable[..., SyncRecord | None] = self._sync_live
        elif has_ended(folder) and not _is_uploaded(folder):
            upload = self._sync_run
        else:
            return None
        project_of(folder)
        return upload

    def _project(self, folder: RunFolder) -> ProjectPath:
        """Return a run's project on the server; check the account's access to it once."""
        project = project_of(folder)
        with self._lock:
            if project not in self._projects:
                self._projects[project] = check_access(self._server, project)
            return self._projects[project]

    def _states(self, projects: Sequence[tuple[RunFolder, ProjectPath]]) -> dict[str, ServerState]:
        """Return the server's states of runs that were uploaded before, by path."""
        by_project: dict[ProjectPath, list[str]] = {}
        for folder, project in projects:
            if read_sync_record(folder):
                path = path_on_server(Identity.read(folder.run_json), project)
                by_project.setdefault(project, []).append(path.run)
        found = {}
        for project, names in by_project.items():
            for first in range(0, len(names), _NAMES):
                wanted = {"name": {"$in": names[first : first + _NAMES]}}
                for state in read_states(self._server, project, wanted):
                    found[str(state.path)] = state
        return found

    def _sync_run(self, folder: RunFolder, stopped: threading.Event) -> SyncRecord:
        project = self._project(folder)
        return sync_run(folder, self._server, project, self._patience_s, stopped.is_set)

    def _sync_live(self, folder: RunFolder, stopped: threading.Event) -> None:
        sync_live(folder, self._server, self._project(folder), self._patience_s, stopped.is_set)


def run_folders(results: Path, names: Sequence[str]) -> list[RunFolder]:
    """Return the folders of the named runs, or of all runs.

    Raises:
        ResultError: a named run doesn't exist, or there are no runs.
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
    """Whether the run was trained here, and its artifacts are logged."""
    names = ("train.json", "upload.json")
    return all((folder.path / name).exists() for name in names) and has_logged(folder)


def has_nothing_to_sync(folder: RunFolder) -> bool:
    """Whether the run has logged nothing, such as a skipped trial, or is a remote run."""
    if (folder.path / "train.json").exists():
        return not has_logged(folder)
    return (folder.path / "server.json").exists() and not read_attempts(folder.attempts)


@dataclass(frozen=True)
class SplitRuns:
    """Runs by what can be sent of them.

    Attributes:
        ended: the runs that have ended.
        running: the ids of those that still run.
        damaged: a line for each whose records can't be read.
    """

    ended: list[RunFolder] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def split_by_state(folders: Sequence[RunFolder]) -> SplitRuns:
    """Return the runs that have ended, those that still run, and what can't be read."""
    split = SplitRuns()
    for folder in folders:
        try:
            if has_ended(folder):
                project_of(folder)
                read_sync_record(folder)
                split.ended.append(folder)
            elif not has_nothing_to_sync(folder):
                split.running.append(folder.path.name)
        except ResultError as error:  # costs no other run
            split.damaged.append(printable(str(error)))
    return split


def _is_uploaded(folder: RunFolder) -> bool:
    """Whether all that a run has logged by now has been uploaded."""
    record = read_sync_record(folder)
    return bool(record and record.state != "pending" and record.logs == log_sizes(folder))


def _is_unchanged(
    folder: RunFolder, record: SyncRecord, server: Server, states: Mapping[str, ServerState]
) -> bool:
    """Whether a run was equal on both sides, and hasn't changed on either since."""
    state = states.get(record.path)
    return (
        record.is_synced
        and record.server == server.account.base_url
        and record.logs == log_sizes(folder)
        and state is not None
        and state.updated_at == record.updated_at
    )


def _report(name: str, job: "Future[SyncRecord | None]") -> tuple[str, bool]:
    """Print the result of a job that has succeeded.

    Returns:
        How it failed, empty if it didn't; and whether all was sent.
    """
    try:
        record = job.result()
    except Exception as error:  # any failure: the other runs go on
        return f"{name}: {error if isinstance(error, CaduceusError) else repr(error)}", False
    what = describe(name, record) if record else ""
    if record is None or not record.is_synced:
        return what, record is None or record.state != "pending"
    print(what, flush=True)
    return "", True


def describe(name: str, record: SyncRecord) -> str:
    """Describe in lines how the upload of a run went, and each difference."""
    if record.state == "pending":
        return (
            f"{name}: pending: {record.error}; nothing is lost: its log stays here, and "
            f"`caduceus sync {name}` sends what the server lacks"
        )
    return "\n".join(
        [
            f"{name}: {'synced' if record.is_synced else 'differs'}, {record.server} {record.path}",
            *(f"{name}: differs: {line}" for line in record.differences),
        ]
    )


def compare_run(folder: RunFolder, server: Server) -> list[str]:
    """Return each difference between a run that was trained here and the server's copy.

    Raises:
        ResultError: the run wasn't trained here.
        ServerError: the server doesn't have it, or can't be reached.
    """
    if not (folder.path / "train.json").exists():
        raise ResultError("it wasn't trained here: there is nothing to compare", folder.path.name)
    project = check_access(server, project_of(folder), must_write=False)
    path = path_on_server(Identity.read(folder.run_json), project)
    _, found = compare_with_server(folder, server, path, with_files=True)
    return found


def sync_now(folder: RunFolder) -> str:
    """Upload a run that is tracked online; return a message if it failed, else "".

    A failing server costs no run: the logs are kept here, and `sync` uploads them later.
    """
    if not has_logged(folder):
        return ""
    identity = Identity.read(folder.run_json)
    try:
        server = Server(find_account(), identity.patience_s)
        uploader = Uploader(server, folder.results, 1, identity.patience_s)
        ((_, record),) = uploader.sync([folder])
    except CaduceusError as error:
        return (
            f"{folder.path.name}: {error}; its log stays here; `snakemake --cores 1 sync` uploads "
            "it later"
        )
    return "" if record.is_synced else describe(folder.path.name, record)
