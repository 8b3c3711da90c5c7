"""The files that lock the GPUs of a host, for all its users and projects.

A GPU has two files in one folder. `UUID` is locked by `flock`: exclusively by a run that has the
whole GPU, and shared by runs that have a share of it, so that the two exclude each other. Of
`UUID.shares` each run with a share locks as many bytes as it needs, by locks that belong to an open
file as those of `flock` do. The kernel drops both kinds when the last process that has the file
open ends, however it ends.
"""

import contextlib
import fcntl
import math
import os
import stat
import struct
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from caduceus.errors import ResourceError

# Bytes that stand for one GPU: a multiple of 1 to 8, so that eighths and thirds fit exactly.
UNITS = 840
_ROUNDING = 1e-6  # of a unit: 0.7 * 840 may be a little more than 588
_FLOCK = "hhqqi4x"  # C's struct flock: type, whence, start, length, process


def lock_folder() -> Path:
    """Return the folder of the GPUs' locks, which all users of the host share.

    It is below /run/lock, which is in memory, or else below /tmp.
    """
    shared = Path("/run/lock")
    is_open_to_all = shared.is_dir() and shared.stat().st_mode & stat.S_IWOTH
    return (shared if is_open_to_all else Path("/tmp")) / "caduceus-gpus"


def lock_whole(folder: Path, uuid: str) -> list[int] | None:
    """Lock a whole GPU, and return the descriptor; None if another process has some of it."""
    descriptor = _locked(folder / uuid, 0o644, lambda file: _flock(file, fcntl.LOCK_EX))
    return None if descriptor is None else [descriptor]


def lock_share(folder: Path, uuid: str, share: float) -> list[int] | None:
    """Lock a share of a GPU, and return the descriptors; None if less than that is free.

    Args:
        folder: the folder of the locks.
        uuid: the GPU.
        share: more than 0 and less than 1; it is rounded up to a multiple of 1 / UNITS.
    """
    whole = _locked(folder / uuid, 0o644, lambda file: _flock(file, fcntl.LOCK_SH))
    if whole is None:
        return None
    count = max(1, math.ceil(share * UNITS - _ROUNDING))
    try:
        units = _locked(_units_path(folder, uuid), 0o666, lambda file: _lock_units(file, count))
    except BaseException:
        os.close(whole)
        raise
    if units is None:
        os.close(whole)
        return None
    return [whole, units]


def is_shared(folder: Path, uuid: str) -> bool:
    """Whether runs have shares of a GPU."""
    path = _units_path(folder, uuid)
    if not path.exists():
        return False
    descriptor = _open(path, 0o666)
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, UNITS, 0)
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked)
        return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)
    finally:
        os.close(descriptor)


def release(locks: Iterable[int]) -> None:
    """Close locked files, which unlocks them unless a program has inherited them."""
    for descriptor in locks:
        os.close(descriptor)


def _units_path(folder: Path, uuid: str) -> Path:
    return folder / f"{uuid}.shares"


def _locked(path: Path, mode: int, lock: Callable[[int], bool]) -> int | None:
    """Open a file and lock it, and return the descriptor; None if `lock` says no.

    Raises:
        ResourceError: the file can't be opened or locked.
    """
    while True:
        descriptor = _open(path, mode)
        try:
            if not lock(descriptor):
                os.close(descriptor)
                return None
            # If the file was removed after it was opened, others lock a new one: try again.
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except FileNotFoundError:
            pass
        except OSError as error:
            os.close(descriptor)
            raise _unusable(path, error) from None
        os.close(descriptor)


def _flock(descriptor: int, kind: int) -> bool:
    """Lock a file as a whole; False if another process has it locked against us."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_units(descriptor: int, count: int) -> bool:
    """Lock `count` free bytes of a file, wherever they lie; False if there are fewer."""
    held = 0
    for unit in range(UNITS):
        if held == count:
            break
        one_byte = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, unit, 1, 0)
        with contextlib.suppress(BlockingIOError):
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, one_byte)
            held += 1
    return held == count


def _open(path: Path, mode: int) -> int:
    """Open a file of locks, so that every user can lock it.

    Args:
        path: the file; it is made if it isn't there.
        mode: its permissions. `flock` needs read permission only, so that nobody but its creator
            may write to the file; a lock of bytes needs the permission to write.
    """
    access = os.O_RDWR if mode & stat.S_IWOTH else os.O_RDONLY
    flags = access | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        # Apart from making the file: Linux refuses O_CREAT on an existing file of another user in a
        # sticky folder (fs.protected_regular).
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, flags)
        if not path.parent.exists():
            _make_folder(path.parent)
        _make_file(path, mode)
        return os.open(path, flags)
    except OSError as error:
        raise _unusable(path, error) from None


def _make_folder(folder: Path) -> None:
    """Make a folder for all users. It gets its name last, as others wait for none of its steps."""
    made = Path(tempfile.mkdtemp(prefix=folder.name, dir=folder.parent))
    made.chmod(0o1777)
    try:
        made.rename(folder)
    except OSError:  # another process has made it
        made.rmdir()


def _make_file(path: Path, mode: int) -> None:
    """Make a file with these permissions, whatever the umask; it gets its name last, too."""
    descriptor, made = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        os.fchmod(descriptor, mode)
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
    finally:
        os.close(descriptor)
        Path(made).unlink()


def _unusable(path: Path, error: OSError) -> ResourceError:
    return ResourceError(
        f"{error.strerror}: this file locks a GPU; remove what is in its place", str(path)
    )
