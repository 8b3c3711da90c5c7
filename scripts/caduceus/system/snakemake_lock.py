"""Snakemake's lock on a folder: find its holder, and remove it if the holder was killed."""

import contextlib
import functools
import os
import socket
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import psutil

from caduceus import DISTRIBUTION
from caduceus.errors import ResultError, SlurmError
from caduceus.io.files import Json, read_json, write_json
from caduceus.system import slurm

_HOLDER = Path(".snakemake/caduceus.json")
_LOCKS = Path(".snakemake/locks")
_BUILDS = {("caduceus", "build"), (DISTRIBUTION, "build")}  # commands that are a Snakemake


class Persistence(Protocol):
    """The used part of Snakemake's `Persistence`."""

    lock: Callable[[], AbstractContextManager[None]]


def note_when_locked(persistence: Persistence, folder: Path = Path()) -> None:
    """Make Snakemake record that it holds the folder's lock as soon as it has it.

    `onstart:` comes only when Snakemake has looked at all files, and a Snakefile that uses Caduceus
    as a module may have none. Where nothing is locked, as in a dry run, nothing is recorded.
    """
    if "lock" in vars(persistence):  # of a dry run, or ours
        return
    lock = persistence.lock

    @contextlib.contextmanager
    def noted() -> Iterator[None]:
        # A Snakemake that has ended since this one began removes it.
        (folder / _LOCKS).mkdir(parents=True, exist_ok=True)
        with lock():
            note_holder(folder)
            yield

    persistence.lock = noted


def note_holder(folder: Path = Path()) -> None:
    """Record that this process holds the folder's lock, since Snakemake's lock has no holder."""
    process = psutil.Process()
    holder: dict[str, Json] = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": process.create_time(),
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
    }
    write_json(folder / _HOLDER, holder)


def find_holder(folder: Path = Path()) -> tuple[str, int | None] | None:
    """Return host and process id of the Snakemake that holds the folder's lock; None if none runs.

    The process id is None if it runs on another host, where it may have ended.
    """
    locks = folder / _LOCKS
    if not locks.is_dir() or not any(locks.iterdir()):
        return None
    holder = read_json(folder / _HOLDER) if (folder / _HOLDER).is_file() else None
    if holder and holder["host"] != socket.gethostname():
        if not _has_left_slurm(holder.get("slurm_job")):
            return holder["host"], None
        holder = None
    running = [holder["pid"]] if holder and _runs(holder["pid"], holder["started"]) else []
    # A Snakemake that has just started has the lock, but hasn't recorded itself yet.
    pids = running or _snakemakes_in(folder, {path.stat().st_uid for path in locks.iterdir()})
    return (socket.gethostname(), pids[0]) if pids else None


def unlock(folder: Path) -> bool:
    """Remove the folder's lock if its holder has ended, and return whether there was one.

    Raises:
        ResultError: the holder still runs, is on another host, or isn't known.
    """
    locks = folder / _LOCKS
    if not locks.is_dir() or not any(locks.iterdir()):
        return False
    if error := why_locked(folder):
        raise error
    for path in locks.iterdir():  # a Snakemake that has started needs the folder
        path.unlink(missing_ok=True)
    return True


def why_locked(folder: Path) -> ResultError | None:
    """Return why the lock of a folder stays; None if its holder has ended."""
    if holder := find_holder(folder):
        host, pid = holder
        what = (
            f"locked by Snakemake on {host}; once it has ended there, type `snakemake --unlock`"
            if pid is None
            else f"Snakemake already runs here, as process {pid}; wait for it to end"
        )
    elif (folder / _HOLDER).is_file():
        return None
    else:
        what = (
            "locked by an unknown process; if no Snakemake runs here, on any host, type "
            "`snakemake --unlock`"
        )
    return ResultError(what, str(folder.absolute()))


def why_refused(folder: Path) -> ResultError:
    """Return why Snakemake didn't get the lock of a folder a moment ago, and what to do."""
    if error := why_locked(folder):
        return error
    locks = folder / _LOCKS
    # A start leaves a lock that is younger than the record; whoever types the command knows more.
    is_left = locks.is_dir() and any(locks.iterdir())
    what = (
        "locked by a Snakemake that has ended; if none has just started here on another host, type "
        "`caduceus unlock`"
        if is_left
        else "another Snakemake has just ended here; start again"
    )
    return ResultError(what, str(folder.absolute()))


@functools.cache  # input functions call it, many times, and then this process has the lock
def unlock_if_killed(folder: Path = Path()) -> None:
    """Remove the folder's lock if the Snakemake that recorded itself as its holder was killed.

    Any other lock is left to Snakemake, which refuses to start. One that is younger than the
    record may be of a Snakemake that has just started on another host.
    """
    with contextlib.suppress(OSError, ResultError):
        locks = [path.stat().st_mtime_ns for path in (folder / _LOCKS).iterdir()]
        if not locks:
            return
        if max(locks) <= (folder / _HOLDER).stat().st_mtime_ns and unlock(folder):
            print("caduceus: removed the lock of a Snakemake that was killed", file=sys.stderr)


def _snakemakes_in(folder: Path, owners: Collection[int]) -> list[int]:
    """Return the ids of Snakemake processes that work in `folder`, other than this one.

    Where another user's process works isn't known; it may be here if one of `owners` started it.
    """
    found = []
    this = psutil.Process()
    own = {this.pid, *(parent.pid for parent in this.parents())}  # as of `uv run snakemake`
    for process in psutil.process_iter():
        if process.pid in own:
            continue
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            names = [Path(word).name for word in words[:4]]
            is_snakemake = "snakemake" in names or not _BUILDS.isdisjoint(pairwise(names))
            # Jobs run a Snakemake of their own, without a lock; here it may be on the same host.
            is_in_job = "--mode remote" in " ".join(words)
            if is_snakemake and not is_in_job and _may_work_in(folder, process, owners):
                found.append(process.pid)
    return found


def _may_work_in(folder: Path, process: psutil.Process, owners: Collection[int]) -> bool:
    try:
        return Path(process.cwd()) == folder.resolve()
    except psutil.AccessDenied:
        return process.uids().real in owners


def _has_left_slurm(job_id: str | None) -> bool:
    """Whether the SLURM job in which a Snakemake ran on another node has ended there."""
    if job_id is None:
        return False
    if job_id == os.environ.get("SLURM_JOB_ID"):
        return True  # this job, before it was requeued
    with contextlib.suppress(SlurmError):
        found = slurm.jobs().get(job_id)
        return found is None or found.has_finished or found.has_failed
    return False


def _runs(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        has_ended = process.status() == psutil.STATUS_ZOMBIE  # its parent hasn't reaped it yet
        return not has_ended and abs(process.create_time() - started) < 1.0
    except psutil.NoSuchProcess:
        return _is_hidden(pid)


def _is_hidden(pid: int) -> bool:
    """Whether a process is another user's that /proc doesn't show (hidepid)."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return False
