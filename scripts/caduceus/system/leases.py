"""Leases: at most one process at a time, on any host, works on a folder.

On a shared file system neither file locks, nor clocks, nor modification times can be relied on
between hosts; only the contents of files can. So the holder of a lease keeps a file beside its work
with a counter, its heartbeat, which it raises every 5 s. A process on another host that wants the
lease reads the file until the counter hasn't changed for 30 s. Then it takes the holder for dead
and replaces the file by its own. A holder that finds another's token in the file has lost the lease
and must stop.

Within a host a file lock decides at once. The program that the holder runs inherits the lock, so
that no other process of this host starts while the program runs, even if the holder was killed.
"""

import contextlib
import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.system import kernel

_HEARTBEAT_S = 5.0
_DEAD_AFTER_S = 30.0  # a holder without a heartbeat for this long counts as dead
_POLL_S = 0.5
_SETTLE_S = 2.0  # after a takeover: time in which one by another process at once becomes visible


class HeldError(ResultError):
    """Another process holds the lease."""


@dataclass(frozen=True)
class Host:
    """A host between two boots: its name, and the kernel's id of the boot."""

    name: str
    boot: str


def this_host() -> Host:
    """Return the host of this process."""
    return Host(os.uname().nodename, kernel.boot_id())


class Lease:
    """A lease of this process.

    Attributes:
        lock: the descriptor of the locked file, for the holder's program to inherit.
        lost_to: the host that has taken over the lease; None while it is ours.
    """

    def __init__(self, path: Path, host: Host, lock: int):
        self.lock = lock
        self.lost_to: str | None = None
        self._path = path
        self._next_heartbeat = 0.0
        self._content: dict[str, Any] = {
            "token": os.urandom(16).hex(),
            "host": host.name,
            "boot": host.boot,
            "pid": os.getpid(),
            "job": os.environ.get("SLURM_JOB_ID"),
            "beat": 0,
        }

    def renew(self, at_once: bool = False) -> bool:
        """Write a heartbeat if one is due, and return whether the lease is still held.

        Args:
            at_once: write it even if none is due.
        """
        if self.lost_to is not None or (not at_once and time.monotonic() < self._next_heartbeat):
            return self.lost_to is None
        # While the file server doesn't answer, nobody else can take the lease over either.
        with contextlib.suppress(OSError):
            if self.is_ours():
                self._content["beat"] += 1
                _write(self._path, self._content)
        self._next_heartbeat = time.monotonic() + _HEARTBEAT_S
        return self.lost_to is None

    def is_ours(self) -> bool:
        """Whether the file has our token; if not, set `lost_to`."""
        found = _read(self._path)
        if found is None or found["token"] != self._content["token"]:
            self.lost_to = found["host"] if found else "another host"
        return self.lost_to is None

    def create(self) -> bool:
        """Create the file with our token; return False if it exists.

        Only one process can succeed, also on shared file systems: a hard link to an existing name
        fails, even where exclusive creation isn't atomic (open(2), O_EXCL, on NFS).
        """
        temporary = _temporary_file(self._path, self._content)
        try:
            os.link(temporary, self._path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            try:  # the file system has no hard links
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return False
            _write(self._path, self._content)
        finally:
            temporary.unlink(missing_ok=True)
        self._next_heartbeat = time.monotonic() + _HEARTBEAT_S
        return True

    def take_over(self) -> None:
        """Replace the file of a holder that is dead by ours."""
        _write(self._path, self._content)
        self._next_heartbeat = time.monotonic() + _HEARTBEAT_S

    def release(self) -> None:
        """Remove the file if it is still ours."""
        with contextlib.suppress(OSError):
            if self.lost_to is None and self.is_ours():
                self._path.unlink()


class Watch:
    """Repeated observation of a lease's file, from which follows whether its holder lives.

    `has_moved` tells whether a change was seen, which proves that the holder lives.
    """

    def __init__(self) -> None:
        self._seen: Any = None  # token and counter
        self._observed_at = time.monotonic()
        self._silent_s = 0.0
        self.has_moved = False

    def is_alive(self, found: Any) -> bool:
        """Whether the counter has changed within the last 30 s, given the present file.

        Between two calls at most 5 s are counted. If this process or the file server hangs for a
        minute, the holder may have written heartbeats that couldn't be seen.
        """
        now = time.monotonic()
        seen = found and (found["token"], found["beat"])
        if seen != self._seen:
            self.has_moved = self._seen is not None
            self._seen, self._silent_s = seen, 0.0
        else:
            self._silent_s += min(now - self._observed_at, _HEARTBEAT_S)
        self._observed_at = now
        return found is not None and self._silent_s < _DEAD_AFTER_S


@contextmanager
def held(
    path: Path, lock: Path, on_wait: Callable[[str], None] | None, host: Host | None = None
) -> Iterator[Lease]:
    """Acquire a lease, waiting for its present holder, and release it at the end.

    Args:
        path: the file of the lease.
        lock: the file that is locked against other processes of this host.
        on_wait: is called once if there is a holder to wait for, with its place, such as " on HOST,
            SLURM job 7"; empty if it is on this host. None to raise an error instead of waiting.
        host: the host of this process; only tests give another.

    Raises:
        HeldError: another process holds the lease, and `on_wait` is None.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _open_lock(lock)
    try:
        lease = Lease(path, host or this_host(), descriptor)
        _acquire(lease, path, host or this_host(), on_wait)
        try:
            yield lease
        finally:
            lease.release()
    finally:
        os.close(descriptor)


def _open_lock(lock: Path) -> int:
    """Open the file that is locked; it may be another user's, which can be locked all the same."""
    try:
        return os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        return os.open(lock, os.O_RDONLY)


def _acquire(lease: Lease, path: Path, host: Host, on_wait: Callable[[str], None] | None) -> None:
    """Try to take the lease until that succeeds; see `held`.

    By the file's host (none: as this one) and by whether its lock could be taken here:

    | file of | lock | then |
    |---|---|---|
    | this host | held by another | wait: its holder lives, or the holder's program does |
    | nobody | taken, or no locks | create the file |
    | this host | taken | take over: a process of this host would have the lock |
    | another host | any | take over if the counter doesn't move, else wait |
    | this host | no locks | the same, since heartbeats are all there is |
    """
    watch = Watch()
    is_announced = False
    while True:
        found = _read(path)
        is_local = found is None or Host(found["host"], found["boot"]) == host
        is_locked = _lock(lease.lock)
        is_alive = watch.is_alive(found)
        if is_local and is_locked is False:
            is_alive = True
        elif found is None:
            if lease.create():
                return
            continue  # another process was faster: look at its file
        elif is_local and is_locked:
            lease.take_over()
            return
        elif not is_alive:
            # Two processes may take over at once. The last one to write has the file, and after
            # the pause both see which one that is.
            lease.take_over()
            time.sleep(_SETTLE_S)
            if lease.is_ours():
                return
            lease.lost_to = None
            continue
        # Without waiting: an error only once the holder has proved to live, as an old file may be
        # there for long.
        if on_wait is None and (watch.has_moved or (is_local and is_locked is False)):
            raise HeldError("held by another process", str(path))
        if on_wait is not None and not is_announced:
            is_announced = True
            job = f", SLURM job {found['job']}" if found and found["job"] else ""
            on_wait("" if is_local else f" on {found['host']}{job}")
        time.sleep(_POLL_S)


@contextmanager
def renewed(lease: Lease) -> Iterator[None]:
    """Write the heartbeats of a lease from a thread, while this thread is busy."""
    stopped = threading.Event()

    def renew() -> None:
        while lease.renew() and not stopped.wait(_POLL_S):
            pass

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


_WATCHES: dict[Path, Watch] = {}


def is_held(path: Path, lock: Path, host: Host | None = None) -> bool:
    """Whether a process holds a lease.

    A lease of this host is known by its lock. One of another host counts as held at first, and as
    free once repeated calls have seen no heartbeat for 30 s.
    """
    found = _read(path)
    is_local = found is None or Host(found["host"], found["boot"]) == (host or this_host())
    if is_local and lock.exists():
        with lock.open() as stream:
            is_free = _lock(stream.fileno(), fcntl.LOCK_SH)
        if is_free is not None:
            return not is_free
    return _WATCHES.setdefault(path.absolute(), Watch()).is_alive(found)


def is_elsewhere(path: Path, host: Host | None = None) -> bool:
    """Whether a lease is of another host, so that only repeated calls of `is_held` can tell."""
    found = _read(path)
    return found is not None and Host(found["host"], found["boot"]) != (host or this_host())


def _lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool | None:
    """Lock a file; return False if another process has it, None if there are no locks here."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP):
            raise
        return None
    return True


def _read(path: Path) -> Any:
    """Read the file of a lease; None if there is none.

    It is opened again each time: NFS guarantees fresh contents only at open (close-to-open
    consistency). An unreadable file counts as that of an unknown holder without heartbeats.
    """
    for _ in range(3):
        try:
            return json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except ValueError:  # empty, as a power cut can leave it
            break
        except OSError as error:
            if error.errno != errno.ESTALE:  # NFS: replaced between open and read; read again
                raise
    return {"token": "", "host": "an unknown host", "boot": "", "job": None, "beat": 0}


def _write(path: Path, content: Any) -> None:
    _temporary_file(path, content).replace(path)


def _temporary_file(path: Path, content: Any) -> Path:
    """Write the content to a file beside `path`, with a name that no other process uses."""
    temporary = path.with_name(f".{path.name}.{content['token']}.part")
    temporary.write_text(json.dumps(content, indent=2) + "\n")
    return temporary
