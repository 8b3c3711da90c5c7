"""The state of files: size, times, inode and mode, by which a later change of one shows.

The time of the last change of an inode (ctime) is among them. No program can set it, so an edit
shows even if it keeps size and modification time.
"""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

State = tuple[int | bytes, ...]
_lstat, _stat, _listdir = os.lstat, os.stat, os.listdir  # `recorded_reads` exchanges those of `os`

SNAKEMAKE = ".snakemake"
LOCKS = f"{SNAKEMAKE}/locks"
_STAMPS = b".snakemake/caduceus/"
_CHANGES_ALWAYS = (b"/proc/", b"/sys/")  # no files: what the kernel says at the moment


class FileStates:
    """Looks up states of files for a process that works in a project's folder.

    Some folders change for reasons that decide nothing. Of the folders above the project and the
    home folder, and of that for temporary files, only their existence counts, unless the path ends
    with a slash, as for one whose names were listed. Of Snakemake's own only the names inside
    count, and of its logs and records not even these, since each record that was looked for has a
    state of its own.
    """

    def __init__(self) -> None:
        self._root = os.fsencode(Path.cwd())
        above = {*Path.cwd().parents}
        for find in (Path.home, tempfile.gettempdir):
            # There may be no home, and no folder for temporary files that this user may write to.
            with suppress(RuntimeError, OSError):
                folder = Path(find())
                above |= {folder, *folder.parents}
        self._passing = {os.fsencode(path) for path in above}
        self._own = os.path.join(self._root, SNAKEMAKE.encode())  # noqa: PTH118 # bytes
        kept = (b"", b"/log", b"/metadata", b"/iocache", b"/caduceus")
        self._unlisted = {self._own + name for name in kept}

    def of(self, path: bytes) -> State:
        """Return the state of a file or folder; of a link its own and that of its target."""
        if path.startswith((_STAMPS, *_CHANGES_ALWAYS)):
            return ()
        try:
            status = _lstat(path)
            if path.startswith(b"/dev/") and _is_device(_stat(path).st_mode):
                return ()
            if stat.S_ISLNK(status.st_mode):
                try:
                    return _state(status) + _state(_stat(path))
                except OSError as error:
                    return (*_state(status), error.errno or 0)
            if stat.S_ISDIR(status.st_mode):
                return self._of_folder(path, status)
            return _state(status)
        except OSError as error:
            # Snakemake removes the folder of its locks at its end: none and an empty one are equal.
            return () if path.rstrip(b"/").endswith(LOCKS.encode()) else (error.errno or 0,)
        except ValueError:  # no name of a file
            return ()

    def _of_folder(self, path: bytes, status: os.stat_result) -> State:
        own = os.path.normpath(os.path.join(self._root, path))  # noqa: PTH118 # bytes
        if own in self._unlisted or (own in self._passing and not path.endswith(b"/")):
            return (status.st_mode, status.st_ino)
        if own.startswith(self._own + b"/"):
            names = b"\0".join(sorted(_listdir(path)))
            return (status.st_mode, names) if names or not own.endswith(LOCKS.encode()) else ()
        return _state(status)


def _is_device(mode: int) -> bool:
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def has_pipe(state: State) -> bool:
    """Whether a file, or the target of a link, is a pipe, whose content has no state."""
    return any(stat.S_ISFIFO(int(mode)) for mode in state[::5])


def _state(status: os.stat_result) -> State:
    return (
        status.st_mode,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def times_of(state: State) -> tuple[int, ...]:
    """Return when a file and its inode were changed, and those of a link's target, in ns."""
    return tuple(int(time) for time in (*state[3::5], *state[4::5]))
