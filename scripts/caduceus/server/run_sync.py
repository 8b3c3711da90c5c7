"""Delivery: a run's rows, files and artifacts on their way from its logs to a W&B server.

A program always logs to the log in its run's folder, and nothing that happens to a server reaches
it. What is delivered is one stitched log per run, less what the server holds, sent by the SDK.
Then the server is asked, and compared with the logs: the SDK's silence proves nothing.
"""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from caduceus.errors import CaduceusError, ResultError, ServerError
from caduceus.exports.equality import differences
from caduceus.exports.run import export_run_into
from caduceus.io.files import files_below, read_json, write_json
from caduceus.runs.attempts import read_attempts
from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import stitch_attempts, upload_logs
from caduceus.runs.wandb_paths import ProjectPath, RunPath
from caduceus.server.client import Server
from caduceus.server.logs import fetch_log
from caduceus.server.runs import (
    RunState,
    path_on_server,
    read_artifacts,
    read_files,
    read_state,
)
from caduceus.server.staging import finder, lost_files, stage_files, staged_log
from caduceus.server.sweeps import find_or_create_sweep
from caduceus.sweeps.folders import SweepFolder
from caduceus.system import leases
from caduceus.wandb_log import Held, Part, follow_stitched, has_rows, read_log, write_stitched

_POLL_S = 1.0
_COMPARE = "compare-"  # begins the name of a folder in which two exports lie
_SETTLES_S = 15.0  # a server may take a moment to show what it has taken in
Delivery = dict[str, Any]


def read_delivery(folder: RunFolder) -> Delivery | None:
    """How far the run has come on its way; None if it was never sent.

    `state` is delivered, differs (it has arrived, but isn't the same) or pending; `error` says why
    it is pending, `differences` lists them; `logs` are the bytes of each log that was sent,
    `updated_at` is the server's time of its last change when both sides were compared.
    """
    path = folder.work / "delivery.json"
    return read_json(path) if path.exists() else None


def complaint(folder: RunFolder) -> str:
    """What is to be said of a run that is tracked online and isn't on the server as it is here."""
    if not (folder.path / "train.json").exists() or not has_logged(folder):
        return ""
    if Identity.read(folder.run_json).mode != "online":
        return ""
    known = read_delivery(folder)
    if known and known["state"] == "differs":
        return f"differs on the server: {folder.path.name}; see {folder.work / 'delivery.json'}"
    if known and known["state"] == "delivered":
        return ""
    return f"not on the server yet: {folder.path.name}; `snakemake --cores 1 sync` delivers it"


def has_logged(folder: RunFolder) -> bool:
    """Whether there is anything of a run that has ended: not of one that failed before it began."""
    return read_json(folder.path / "train.json")["state"] == "finished" or bool(_parts(folder))


def logs_of(folder: RunFolder) -> dict[str, int]:
    """The bytes of each log of a run, by its path in the run's folder."""
    logs = [part.path for part in _parts(folder)]
    return {os.path.relpath(log, folder.path): log.stat().st_size for log in logs}


def deliver(
    folder: RunFolder,
    server: Server,
    project: ProjectPath,
    patience_s: float,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Delivery:
    """Send what the server lacks of a run that has ended, compare, and note how it went.

    Args:
        folder: the run's folder.
        server: where it goes.
        project: the project it goes to.
        patience_s: how long to wait for a server that doesn't answer.
        is_stopped: ends the sending at once.

    Returns:
        What was noted, as `read_delivery` has it.
    """
    identity = Identity.read(folder.run_json)
    path = path_on_server(identity, project)
    delivery: Delivery = {
        "state": "pending",
        "server": server.account.base_url,
        "path": str(path),
        "logs": logs_of(folder),
        "error": None,
        "differences": [],
        "updated_at": None,
    }
    try:
        with _held(folder) as lease:
            write_json(folder.work / "delivery.json", delivery)
            try:
                lost = _send(
                    folder, server, path, patience_s, lambda: is_stopped() or bool(lease.lost_to)
                )
                state, found = compare(folder, server, path, with_files=False)
                delivery["state"] = "differs" if lost or found else "delivered"
                delivery["differences"] = [*lost, *found]
                delivery["updated_at"] = state.updated_at
            except CaduceusError as error:
                delivery["error"] = str(error)
            except Exception as error:  # a bug of ours costs neither this run nor the others
                delivery["error"] = f"unexpected {type(error).__name__}: {error}"
            write_json(folder.work / "delivery.json", delivery)
    except ResultError as error:  # someone else is at it, and will say how it went
        delivery["error"] = str(error)
    return delivery


def compare(
    folder: RunFolder, server: Server, path: RunPath, with_files: bool
) -> tuple[RunState, list[str]]:
    """What a server holds of a run, and each difference to the run's own logs.

    Args:
        folder: the run's folder.
        server: the server.
        path: the run on it.
        with_files: whether media and the files of artifacts are fetched and compared too; otherwise
            the digests that the server has of artifacts, and the names of media.

    Raises:
        ServerError: the server hasn't got the run, or can't be asked.
    """
    folder.delivery.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.delivery, prefix=_COMPARE) as parent:
        here, there = Path(parent, "here"), Path(parent, "there")
        here.mkdir()
        there.mkdir()
        export_run_into(folder, here)
        state = read_state(server, path)
        if state is None:
            raise ServerError(f"no such run on {server.account.base_url}", str(path))
        log = Path(parent, "fetched", f"run-{path.run}.wandb")
        fetch_log(server, state, log, with_files)
        export_run_into(folder, there, log)
        # Several attempts leave times of their own with the server.
        with_times = len(read_attempts(folder.attempts)) == 1
        found = differences(here, there, with_times, with_files)
        if not with_files:
            media = {file.relative_to(here).as_posix() for file in files_below(here / "media")}
            missing = sorted(media - read_files(server, path).keys())
            found += [f"{name}: only here" for name in missing]
        return state, found


def follow(
    folder: RunFolder,
    server: Server,
    project: ProjectPath,
    patience_s: float,
    is_stopped: Callable[[], bool],
) -> None:
    """Send the rows of a run as they are logged, until its program has ended.

    What a failing server doesn't take is left to `deliver`.

    Raises:
        ServerError: the server didn't take it for longer than `patience_s`.
    """
    identity = Identity.read(folder.run_json)
    path = path_on_server(identity, project)
    with _held(folder) as lease:

        def is_over() -> bool:
            return is_stopped() or bool(lease.lost_to)

        sent: set[Path] = set()
        while not is_over():
            was_over = not is_running(folder)
            parts = [part for part in _parts(folder) if part.run is not None]
            # Which step an attempt goes on from shows in its first row.
            if parts and parts[-1].path not in sent and (was_over or has_rows(parts[-1].path)):
                _follow_log(folder, server, path, parts, patience_s, is_over)
                sent |= {part.path for part in parts}
            elif was_over:
                return
            else:
                time.sleep(_POLL_S)


def is_running(folder: RunFolder) -> bool:
    """Whether a program logs to the run just now, here or on another node."""
    attempts = read_attempts(folder.attempts)
    if not attempts or attempts[-1]["state"] != "running":
        return False
    return leases.is_held(folder.lease, folder.lock)


@contextmanager
def _held(folder: RunFolder) -> Iterator[leases.Lease]:
    """Let nobody else deliver the run meanwhile, on any host: rows would arrive twice."""
    folder.delivery.mkdir(parents=True, exist_ok=True)
    paths = folder.delivery / "lease.json", folder.delivery / "lock"
    with ExitStack() as stack:
        try:
            lease = stack.enter_context(leases.held(*paths, waits=None))
        except leases.HeldError:
            raise ResultError("is being delivered already", folder.path.name) from None
        stack.enter_context(leases.kept(lease))
        for left in folder.delivery.glob(f"{_COMPARE}*"):  # by one that was killed
            shutil.rmtree(left)
        yield lease


def _parts(folder: RunFolder) -> list[Part]:
    """The segments of the run, those of later uploads too."""
    attempts = read_attempts(folder.attempts)
    parts = stitch_attempts(folder, attempts)
    for log in upload_logs(folder):
        segment = read_log(log)
        parts.append(Part(log, segment.run, rule="upload"))
    return parts


def _send(
    folder: RunFolder,
    server: Server,
    path: RunPath,
    patience_s: float,
    is_stopped: Callable[[], bool],
) -> list[str]:
    """Send what the server lacks, and wait until it shows all of it; returns what can't be sent."""
    from caduceus.system import wandb_sdk

    parts = _parts(folder)
    if not parts:
        raise ResultError("it has no log", folder.path.name)
    find = finder(folder)
    lost = {artifact: why for part in parts for artifact, why in lost_files(part.path, find)}
    held = _known(folder, server, path)
    held = replace(held, artifacts={*held.artifacts, *lost})
    train = read_json(folder.path / "train.json")
    # W&B takes a program that exits by a message for one that ended well.
    exit_code = 0 if train["state"] == "finished" else train["exit_code"] or 1
    log = staged_log(folder)
    for part in parts:
        stage_files(part.path.parent / "files", log.parent / "files")
    write_stitched(parts, log, held, find, exit_code)
    try:
        wandb_sdk.sync_log(log, path.entity, path.project, patience_s, is_stopped=is_stopped)
    finally:
        shutil.rmtree(log.parent)
    rows = sum(part.rows for part in parts)
    waited_until = time.monotonic() + _SETTLES_S
    while time.monotonic() < waited_until:
        state = read_state(server, path)
        if state and state.rows >= rows and state.state != "running":
            break
        time.sleep(_POLL_S)
    return list(lost.values())


def _follow_log(
    folder: RunFolder,
    server: Server,
    path: RunPath,
    parts: Sequence[Part],
    patience_s: float,
    is_stopped: Callable[[], bool],
) -> None:
    """Send a growing log, and what came before it."""
    from caduceus.system import wandb_sdk

    log = staged_log(folder)
    # Only the media: W&B writes into the folder above, which isn't to reach the program's own.
    (log.parent / "files/media").symlink_to((parts[-1].path.parent / "files/media").absolute())
    has_ended = threading.Event()
    held = _known(folder, server, path)
    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(
            follow_stitched, parts, log, lambda: has_ended.is_set() or not is_running(folder), held
        )
        try:
            while not log.exists() and not writer.done():
                time.sleep(0.01)
            wandb_sdk.sync_log(
                log,
                path.entity,
                path.project,
                patience_s,
                is_growing=True,
                is_stopped=lambda: is_stopped() or _has_failed(writer),
            )
        finally:
            has_ended.set()
            shutil.rmtree(log.parent, ignore_errors=True)
        writer.result()


def _has_failed(job: "Future[None]") -> bool:
    return job.done() and job.exception() is not None


def _known(folder: RunFolder, server: Server, path: RunPath) -> Held:
    """What the server has of the run, and of the sweep it belongs to."""
    identity = Identity.read(folder.run_json)
    there = Held(run=identity.handed_out or "", sweep=_sweep_there(folder, identity, server, path))
    state = read_state(server, path)
    if state is None:
        return there
    artifacts = {(artifact.name, artifact.digest) for artifact in read_artifacts(server, path)}
    return replace(there, last_step=state.last_step, artifacts=artifacts)


def _sweep_there(folder: RunFolder, identity: Identity, server: Server, path: RunPath) -> str:
    """W&B's id of the sweep that a run belongs to on the server; empty if it belongs to none.

    Where the server chooses, it takes all runs of the sweep for its own trials, which confirmations
    and a program's further runs aren't.
    """
    if identity.sweep is None:
        return ""
    ours = SweepFolder(folder.results / "sweeps" / identity.sweep)
    if read_json(ours.plan)["engine"] == "wandb" and identity.handed_out is None:
        return ""
    return find_or_create_sweep(ours, server, path.project_path)
