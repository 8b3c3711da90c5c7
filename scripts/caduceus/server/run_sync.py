"""Sync a run: upload its rows, files and artifacts from its logs to a W&B server.

A program logs only to the run's folder, so a failing server never affects it. We upload one
stitched log per run, without the rows that the server already has, through the SDK. Then we compare
the server's copy with the logs, since the SDK doesn't report every failure.
"""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from caduceus.errors import CaduceusError, ResultError, ServerError
from caduceus.exports.equality import differences
from caduceus.exports.run import export_run_into
from caduceus.exports.wandb_notes import notes_to_send
from caduceus.runs.attempts import read_attempts
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import check_logs
from caduceus.runs.logs import stand_in, stitch_attempts, upload_logs
from caduceus.runs.wandb_paths import ProjectPath, RunPath
from caduceus.server.artifacts import read_artifacts
from caduceus.server.client import Server
from caduceus.server.logs import fetch_log
from caduceus.server.lost_rows import lost_rows
from caduceus.server.runs import path_on_server, read_files, read_state
from caduceus.server.staging import (
    changed_artifacts,
    file_finder,
    held_artifacts,
    logged_files,
    stage_files,
    staged_log,
)
from caduceus.server.sweeps import find_or_create_sweep
from caduceus.server.sync_record import SyncRecord, read_sync_record, sync_record_path
from caduceus.sweeps.folders import SweepFolder
from caduceus.system import leases
from caduceus.wandb_log import Held, Part, follow_stitched, has_rows, read_log, write_stitched

_POLL_S = 1.0
_COMPARE = "compare-"  # prefix of a temporary folder with two exports to compare
_VISIBLE_S = 15.0  # a server may take so long to show what it has received


def sync_warning(folder: RunFolder) -> str:
    """Return a warning if a run is tracked online and the server's copy isn't equal; else ""."""
    if not (folder.path / "train.json").exists() or not has_logged(folder):
        return ""
    if Identity.read(folder.run_json).mode != "online":
        return ""
    record = read_sync_record(folder)
    if record and record.state == "differs":
        return f"differs on the server: {folder.path.name}; see {sync_record_path(folder)}"
    if record and record.is_synced:
        return ""
    return f"not on the server yet: {folder.path.name}; `snakemake --cores 1 sync` uploads it"


def has_logged(folder: RunFolder) -> bool:
    """Whether an ended run has logged anything; one that failed before wandb.init hasn't."""
    return Train.read(folder.train_json).state == "finished" or bool(_parts(folder))


def log_sizes(folder: RunFolder) -> dict[str, int]:
    """Return the bytes of each log of a run, by its path in the run's folder."""
    logs = [part.path for part in _parts(folder)]
    return {os.path.relpath(log, folder.path): log.stat().st_size for log in logs}


def sync_run(
    folder: RunFolder,
    server: Server,
    project: ProjectPath,
    patience_s: float,
    is_stopped: Callable[[], bool] = lambda: False,
) -> SyncRecord:
    """Upload what the server lacks of an ended run, compare both sides, and record the result.

    Args:
        folder: the run's folder.
        server: the server.
        project: the project on the server.
        patience_s: how long to wait for a server that doesn't answer, in seconds.
        is_stopped: returns True to end the upload at once.

    Returns:
        The record that was written.
    """
    identity = Identity.read(folder.run_json)
    path = path_on_server(identity, project)
    record = SyncRecord(
        state="pending", server=server.account.base_url, path=str(path), logs=log_sizes(folder)
    )
    try:
        with _sync_lock(folder) as lease:
            record.write(sync_record_path(folder))
            try:
                lost = _upload(
                    folder, server, path, patience_s, lambda: is_stopped() or bool(lease.lost_to)
                )
                state, found = compare_with_server(folder, server, path, with_files=False)
                record = replace(
                    record,
                    state="differs" if lost or found else "delivered",
                    differences=(*lost, *found),
                    updated_at=state.updated_at,
                )
            except CaduceusError as error:
                record = replace(record, error=str(error))
            except Exception as error:  # a bug of ours must not stop the upload of other runs
                record = replace(record, error=f"unexpected {type(error).__name__}: {error}")
            record.write(sync_record_path(folder))
    except ResultError as error:  # another process syncs the run, and writes the record
        record = replace(record, error=str(error))
    return record


def compare_with_server(
    folder: RunFolder, server: Server, path: RunPath, with_files: bool
) -> tuple[ServerState, list[str]]:
    """Return the state of the server's copy of a run, and each difference to the run's own logs.

    Args:
        folder: the run's folder.
        server: the server.
        path: the run on the server.
        with_files: whether to download and compare media and the files of artifacts too; otherwise
            the digests of artifacts and the names of media are compared.

    Raises:
        ServerError: the server doesn't have the run, or can't be reached.
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
        # With several attempts the server has the times of each one's upload.
        with_times = len(read_attempts(folder.attempts)) == 1
        found = differences(here, there, with_times, with_files)
        page = f"{server.account.url}/{path.project_path}/runs/{path.run}"
        found += lost_rows(here, there, folder.path.name, page)
        if not with_files:
            logged = logged_files(folder, [part.path for part in _parts(folder)])
            missing = sorted(logged - read_files(server, path).keys())
            found += [f"{name}: only here" for name in missing]
        return state, found


def sync_live(
    folder: RunFolder,
    server: Server,
    project: ProjectPath,
    patience_s: float,
    is_stopped: Callable[[], bool],
) -> None:
    """Upload the rows of a run while they are logged, until its program has ended.

    `sync_run` uploads later what a failing server didn't accept.

    Raises:
        ServerError: the server failed for longer than `patience_s`.
    """
    identity = Identity.read(folder.run_json)
    path = path_on_server(identity, project)
    with _sync_lock(folder) as lease:

        def is_over() -> bool:
            return is_stopped() or bool(lease.lost_to)

        uploaded: set[Path] = set()
        while not is_over():
            was_over = not is_running(folder)
            parts = [part for part in _parts(folder) if part.run is not None]
            # Only the first row of an attempt shows from which step it resumes.
            if parts and parts[-1].path not in uploaded and (was_over or has_rows(parts[-1].path)):
                _upload_live(folder, server, path, parts, patience_s, is_over)
                uploaded |= {part.path for part in parts}
            elif was_over:
                return
            else:
                time.sleep(_POLL_S)


def is_running(folder: RunFolder) -> bool:
    """Whether a program logs to the run now, on this host or another."""
    attempts = read_attempts(folder.attempts)
    if not attempts or attempts[-1].state != "running":
        return False
    return leases.is_held(folder.lease, folder.lock)


@contextmanager
def _sync_lock(folder: RunFolder) -> Iterator[leases.Lease]:
    """Hold the lock under which a run is uploaded, on all hosts: else rows would arrive twice.

    Raises:
        ResultError: another process holds it.
    """
    folder.delivery.mkdir(parents=True, exist_ok=True)
    paths = folder.delivery / "lease.json", folder.delivery / "lock"
    with ExitStack() as stack:
        try:
            lease = stack.enter_context(leases.held(*paths, on_wait=None))
        except leases.HeldError:
            raise ResultError("another process syncs it already", folder.path.name) from None
        stack.enter_context(leases.renewed(lease))
        for leftover in folder.delivery.glob(f"{_COMPARE}*"):  # of a killed process
            shutil.rmtree(leftover)
        yield lease


def _parts(folder: RunFolder) -> list[Part]:
    """Return the run's segments, with those of `upload_artifacts`."""
    attempts = read_attempts(folder.attempts)
    parts = stitch_attempts(folder, attempts)
    for log in upload_logs(folder):
        segment = read_log(log)
        parts.append(Part(log, segment.run, rule="upload"))
    return parts


def _upload(
    folder: RunFolder,
    server: Server,
    path: RunPath,
    patience_s: float,
    is_stopped: Callable[[], bool],
) -> list[str]:
    """Upload what the server lacks, and wait until the server shows all rows.

    Returns:
        Why an artifact can't be uploaded, a line for each such artifact.

    Raises:
        ResultError: the run has no log, or it isn't what the run left.
        ServerError: the upload failed.
    """
    from caduceus.system import wandb_sdk

    check_logs(folder, read_attempts(folder.attempts))
    parts = _parts(folder)
    if not parts:
        raise ResultError("it has no log", folder.path.name)
    find = file_finder(folder)
    lost = {artifact: why for part in parts for artifact, why in changed_artifacts(part.path, find)}
    held = _held_by_server(folder, server, path, parts)
    held = replace(held, artifacts={*held.artifacts, *lost})
    train = Train.read(folder.train_json)
    # `sys.exit("message")` has exit status 1, but wandb records it as success.
    exit_code = 0 if train.state == "finished" else train.exit_code or 1
    log = staged_log(folder)
    saved = stage_files(folder, [part.path for part in parts], log.parent / "files")
    write_stitched(parts, log, held, find, exit_code, notes_to_send(folder, parts), saved)
    try:
        wandb_sdk.sync_log(log, path.entity, path.project, patience_s, is_stopped=is_stopped)
    finally:
        shutil.rmtree(log.parent)
    rows = sum(part.rows for part in parts)
    deadline = time.monotonic() + _VISIBLE_S
    while time.monotonic() < deadline:
        state = read_state(server, path)
        if state and state.rows >= rows and state.state != "running":
            break
        time.sleep(_POLL_S)
    return list(lost.values())


def _upload_live(
    folder: RunFolder,
    server: Server,
    path: RunPath,
    parts: Sequence[Part],
    patience_s: float,
    is_stopped: Callable[[], bool],
) -> None:
    """Upload the last of the segments while it grows, with those before it."""
    from caduceus.system import wandb_sdk

    log = staged_log(folder)
    # We link only media/: W&B writes into files/, and must not write into the program's folder.
    (log.parent / "files/media").symlink_to((parts[-1].path.parent / "files/media").absolute())
    has_ended = threading.Event()
    held = _held_by_server(folder, server, path, parts)
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
                is_stopped=lambda: is_stopped() or bool(writer.done() and writer.exception()),
            )
        finally:
            has_ended.set()
            shutil.rmtree(log.parent, ignore_errors=True)
        writer.result()


def _held_by_server(
    folder: RunFolder, server: Server, path: RunPath, parts: Sequence[Part]
) -> Held:
    """Return what the server has of a run, and its ids of the run and of the run's sweep."""
    identity = Identity.read(folder.run_json)
    # The log of a further run that is taken for the run has an id of its own.
    has_another_id = any(stand_in(folder, each.number) for each in read_attempts(folder.attempts))
    own = identity.handed_out or (identity.id if has_another_id else "")
    held = Held(run=own, sweep=_sweep_id(folder, identity, server, path))
    state = read_state(server, path)
    if state is None:
        return held
    artifacts = held_artifacts(read_artifacts(server, path), [part.path for part in parts])
    return replace(held, last_step=state.last_step, artifacts=artifacts)


def _sweep_id(folder: RunFolder, identity: Identity, server: Server, path: RunPath) -> str:
    """Return W&B's id of the sweep that a run belongs to on the server; empty if to none.

    If the server chooses the trials, it counts every run of the sweep as a trial of its own. So
    confirmations and a program's further runs must not belong to that sweep.
    """
    if identity.sweep is None:
        return ""
    ours = SweepFolder(folder.results / "sweeps" / identity.sweep)
    if ours.read_plan().is_chosen_by_server and identity.handed_out is None:
        return ""
    return find_or_create_sweep(ours, server, path.project_path)
