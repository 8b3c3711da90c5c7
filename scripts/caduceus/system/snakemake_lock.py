"""Snakemake's lock on a folder: who holds it, and its removal when its holder was killed."""

import contextlib
import os
import shutil
import socket
from pathlib import Path

import psutil

from caduceus.errors import ResultError, SlurmError
from caduceus.io.files import Json, read_json, write_json
from caduceus.system import slurm

_HOLDER = Path(".snakemake/caduceus.json")
_LOCKS = Path(".snakemake/locks")


def note_holder(folder: Path = Path()) -> None:
    """Note that this process holds the folder's lock; Snakemake's own lock doesn't say who does."""
    process = psutil.Process()
    holder: dict[str, Json] = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": process.create_time(),
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
    }
    write_json(folder / _HOLDER, holder)


def find_holder(folder: Path = Path()) -> tuple[str, int | None] | None:
    """Host and process of the Snakemake that holds the folder's lock; None if none is at work.

    Of one on another host, which may have ended, the process isn't said.
    """
    locks = folder / _LOCKS
    if not locks.is_dir() or not any(locks.iterdir()):
        return None
    holder = read_json(folder / _HOLDER) if (folder / _HOLDER).is_file() else None
    if holder and holder["host"] != socket.gethostname():
        if not _has_left_slurm(holder.get("slurm_job")):
            return holder["host"], None
        holder = None
    at_work = [holder["pid"]] if holder and _runs(holder["pid"], holder["started"]) else []
    # One that has just started holds the lock before it is noted.
    pids = at_work or _snakemakes_in(folder)
    return (socket.gethostname(), pids[0]) if pids else None


def unlock(folder: Path) -> bool:
    """Remove the folder's lock if its holder has ended; returns whether there was one.

    Raises:
        ResultError: the holder still runs, ran on another machine, or isn't known.
    """
    locks = folder / _LOCKS
    if not locks.is_dir() or not any(locks.iterdir()):
        return False
    if holder := find_holder(folder):
        host, pid = holder
        raise ResultError(
            f"locked by Snakemake on {host}; once it has ended there, type `snakemake --unlock`"
            if pid is None
            else f"Snakemake is at work here already, as process {pid}; wait for it to end",
            str(folder.absolute()),
        )
    if not (folder / _HOLDER).is_file():
        raise ResultError(
            "locked, and no Snakemake has noted that it is at work: if none is, on any machine, "
            "type `snakemake --unlock`; a Snakefile that uses Caduceus as a module notes it by "
            "`onstart: note_holder()`, from caduceus",
            str(folder.absolute()),
        )
    shutil.rmtree(locks)
    return True


def _snakemakes_in(folder: Path) -> list[int]:
    """The processes of Snakemake that work in `folder`."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            is_snakemake = any(Path(word).name == "snakemake" for word in words[:4])
            # One inside a job holds no lock; where the job runs on this machine too, it is seen.
            is_in_job = "--mode remote" in " ".join(words)
            if is_snakemake and not is_in_job and Path(process.cwd()) == folder.resolve():
                found.append(process.pid)
    return found


def _has_left_slurm(job_id: str | None) -> bool:
    """Whether the SLURM job in which a Snakemake ran on another node has ended there."""
    if job_id is None:
        return False
    if job_id == os.environ.get("SLURM_JOB_ID"):
        return True  # this job itself, before SLURM put it back
    with contextlib.suppress(SlurmError):
        found = slurm.jobs().get(job_id)
        return found is None or found.has_finished or found.has_failed
    return False


def _runs(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        has_ended = process.status() == psutil.STATUS_ZOMBIE  # and nobody has asked how
        return not has_ended and abs(process.create_time() - started) < 1.0
    except psutil.NoSuchProcess:
        return False
