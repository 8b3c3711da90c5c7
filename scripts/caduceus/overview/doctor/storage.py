"""Checks of the disk that holds results/: free space, free files, file system."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from caduceus.overview.doctor.findings import Finding

_FILES_A_RUN = 73  # measured by benchmarks/inodes.py
_GB_A_RUN = 0.01  # the shipped experiment's; a large model takes more
_LOW_GB = 5.0
_SHARED = {
    "nfs": "NFS",
    "nfs4": "NFS",
    "lustre": "Lustre",
    "gpfs": "GPFS",
    "beegfs": "BeeGFS",
    "cifs": "SMB",
    "smb3": "SMB",
    "smbfs": "SMB",
    "9p": "a Windows disk in WSL",
    "fuse.sshfs": "SSHFS",
    "ceph": "CephFS",
    "afs": "AFS",
}
_IN_MEMORY = ("tmpfs", "ramfs")


def look_at_room(folder: Path, runs: int) -> Iterator[Finding]:
    """Check that the disk has space and file entries for `runs` more runs."""
    free_gb = shutil.disk_usage(folder).free / 1e9
    needed_gb = runs * _GB_A_RUN
    text = f"{free_gb:.0f} GB free"
    if free_gb < max(needed_gb, 1):
        yield Finding("error", "disk", f"{text}, and {runs} runs want {needed_gb:.0f}", _MEND)
    elif free_gb < _LOW_GB:
        yield Finding("warning", "disk", text, _MEND)
    else:
        yield Finding("fine", "disk", text)
    status = os.statvfs(folder)
    needed = runs * _FILES_A_RUN
    if status.f_files == 0:  # a file system without a limit reports 0
        yield Finding("fine", "files", "no limit")
    elif status.f_favail < needed:
        text = f"{status.f_favail:,} can be made, and {runs} runs want {needed:,}"
        yield Finding("error", "files", text, _MEND)
    else:
        yield Finding("fine", "files", f"{status.f_favail:,} can be made; a run has some 70")


_MEND = "make room (caduceus gc), or work on another disk"


def look_at_scratch(where: str | None) -> Iterator[Finding]:
    """Check that `wandb.scratch`, if set, is writable on this host."""
    if where is None:
        return
    folder = Path(os.path.expandvars(where)).expanduser()
    if "$" in str(folder):
        text = f"{where} isn't set on this host; runs that train here fail"
        yield Finding("warning", "scratch", text, "name another folder as wandb.scratch")
    elif not os.access(folder, os.W_OK | os.X_OK):
        text = f"{folder}: {'not writable' if folder.exists() else 'no such folder'}"
        yield Finding("error", "scratch", text, "name another folder as wandb.scratch")
    else:
        yield Finding("fine", "scratch", str(folder))


def look_at_file_system(folder: Path, mounts: Sequence[tuple[str, str]] | None = None) -> Finding:
    """Check the kind of file system.

    Args:
        folder: the project's folder.
        mounts: the place and the type of each file system of the host; asked for by default.
    """
    if mounts is None:
        mounts = [(each.mountpoint, each.fstype) for each in psutil.disk_partitions(all=True)]
    kind = _kind_of(folder.resolve(), mounts)
    if kind in _IN_MEMORY:
        text, mend = f"{kind}: in memory, lost at a restart", "work on a disk"
        return Finding("warning", "file system", text, mend)
    if kind in _SHARED:
        return Finding(
            "warning",
            "file system",
            f"{_SHARED[kind]}: shared, and slow for what W&B writes while a run trains",
            "set wandb.scratch in config.yaml to a disk of each host, such as $TMPDIR",
        )
    return Finding("fine", "file system", f"{kind or 'unknown'}: of this host")


def _kind_of(folder: Path, mounts: Sequence[tuple[str, str]]) -> str:
    """Return the type of the mount that holds a folder: the longest path above it."""
    depth, kind = 0, ""
    for place, fstype in mounts:
        point = Path(place)
        # The last of several mounts at one place hides the others.
        if folder.is_relative_to(point) and len(point.parts) >= depth:
            depth, kind = len(point.parts), fstype
    return kind
