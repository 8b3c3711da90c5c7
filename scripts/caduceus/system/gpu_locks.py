"""The files that lock the GPUs of a host, for all its users and projects."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from caduceus.errors import ResourceError


def lock_folder() -> Path:
    """Return the folder of the GPUs' locks, which all users of the host share.

    It is below /run/lock, which is in memory, or else below /tmp.
    """
    shared = Path("/run/lock")
    is_open_to_all = shared.is_dir() and shared.stat().st_mode & stat.S_IWOTH
    return (shared if is_open_to_all else Path("/tmp")) / "caduceus-gpus"


def lock(folder: Path, uuid: str) -> int | None:
    """Lock a GPU, and return the descriptor; None if another process has it."""
    path = folder / uuid
    while True:
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # If the file was removed after it was opened, others lock a new one: try again.
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass
        os.close(descriptor)


def _open(path: Path) -> int:
    """Open the lock file of a GPU, so that every user can lock it.

    A lock needs read permission only, so that nobody but its creator may write to the file.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, flags)
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir()
            path.parent.chmod(0o1777)
        # Apart from the first `open`: Linux refuses O_CREAT on an existing file of another user in
        # a sticky folder (fs.protected_regular).
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644)
            os.fchmod(descriptor, 0o644)  # independently of the umask
            return descriptor
        return os.open(path, flags)
    except OSError as error:
        raise ResourceError(
            f"{error.strerror}: this file locks a GPU; remove what is in its place", str(path)
        ) from None


def release(locks: Iterable[int]) -> None:
    """Close locked files, which unlocks them unless a program has inherited them."""
    for descriptor in locks:
        os.close(descriptor)
