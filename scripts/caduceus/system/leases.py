"""Leases: one process at a time has a folder, on whatever host, by file contents alone.

Between hosts no lock can be relied on, and no clock or time of a file. So the holder keeps a file
beside its work, with a counter in it that rises every few seconds. Who wants it too, on another
host, reads the file until the counter hasn't moved for long enough, and then puts a file of its
own in its place. A holder that finds another one's file was taken for dead, and has lost.

On one host a lock decides at once. The holder's program inherits it: whatever becomes of the
holder, nobody else begins while the program runs.
"""

import contextlib
import errno
import fcntl
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError

_BEAT_S = 5.0
_SILENT_S = 30.0  # without a beat, and the holder is dead
_LOOKS_S = 0.5
_SETTLES_S = 2.0  # after a takeover, for another one at the same moment to show
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class HeldError(ResultError):
    """Another process holds a lease."""


@dataclass(frozen=True)
class Host:
    """A host from one start to the next: its name, and the kernel's own for this start."""

    name: str
    boot: str


def this_host() -> Host:
    """The host we run on."""
    return Host(os.uname().nodename, _BOOT_ID.read_text().strip())


class Lease:
    """A lease that is held. `lock` is what a program inherits; `lost_to` the host that took it."""

    def __init__(self, path: Path, host: Host, lock: int):
        self.lock = lock
        self.lost_to: str | None = None
        self._path = path
        self._beats_at = 0.0
        self._content: dict[str, Any] = {
            "token": uuid.uuid4().hex,
            "host": host.name,
            "boot": host.boot,
            "pid": os.getpid(),
            "job": os.environ.get("SLURM_JOB_ID"),
            "beat": 0,
        }

    def keep(self, at_once: bool = False) -> bool:
        """Show that we live, every few seconds however often called; False once it is lost."""
        if self.lost_to is not None or (not at_once and time.monotonic() < self._beats_at):
            return self.lost_to is None
        # What a file server doesn't answer is no loss: others can't read it either.
        with contextlib.suppress(OSError):
            if self.is_ours():
                self._content["beat"] += 1
                _write(self._path, self._content)
        self._beats_at = time.monotonic() + _BEAT_S
        return self.lost_to is None

    def is_ours(self) -> bool:
        """Whether it is still ours by its file; it is lost if not."""
        found = _read(self._path)
        if found is None or found["token"] != self._content["token"]:
            self.lost_to = found["host"] if found else "another host"
        return self.lost_to is None

    def create(self) -> bool:
        """Write the file if nobody has; on shared file systems too, only one can."""
        part = _part(self._path, self._content)
        try:
            os.link(part, self._path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            try:  # a file system without hard links
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return False
            _write(self._path, self._content)
        finally:
            part.unlink(missing_ok=True)
        self._beats_at = time.monotonic() + _BEAT_S
        return True

    def take_over(self) -> None:
        """Put our file in the place of a dead one's."""
        _write(self._path, self._content)
        self._beats_at = time.monotonic() + _BEAT_S

    def release(self) -> None:
        """Let the next have it."""
        with contextlib.suppress(OSError):
            if self.lost_to is None and self.is_ours():
                self._path.unlink()


class Watch:
    """What is known of a lease from looking at it repeatedly."""

    def __init__(self) -> None:
        self._seen: Any = None
        self._looked_at = time.monotonic()
        self._silent_s = 0.0
        self.has_moved = False

    def is_alive(self, found: Any) -> bool:
        """Whether the counter has moved lately, given what the file holds now.

        Only time in which we looked counts: while the file server, or we ourselves, hang, the
        holder can't be heard.
        """
        now = time.monotonic()
        seen = found and (found["token"], found["beat"])
        if seen != self._seen:
            self.has_moved = self._seen is not None
            self._seen, self._silent_s = seen, 0.0
        else:
            self._silent_s += min(now - self._looked_at, _BEAT_S)
        self._looked_at = now
        return found is not None and self._silent_s < _SILENT_S


@contextmanager
def held(
    path: Path, lock: Path, waits: Callable[[str], None] | None, host: Host | None = None
) -> Iterator[Lease]:
    """Hold a lease, until now nobody's or a dead one's.

    Args:
        path: the lease's file.
        lock: the file that is locked against other processes of this host.
        waits: is told, once, where the holder is that we wait for; None not to wait for a living
            one.
        host: who we are; this host by default.

    Raises:
        HeldError: it is held, and we don't wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        lease = Lease(path, host or this_host(), descriptor)
        _acquire(lease, path, host or this_host(), waits)
        try:
            yield lease
        finally:
            lease.release()
    finally:
        os.close(descriptor)


def _acquire(lease: Lease, path: Path, host: Host, waits: Callable[[str], None] | None) -> None:
    watch = Watch()
    has_said = False
    while True:
        found = _read(path)
        is_near = found is None or Host(found["host"], found["boot"]) == host
        is_locked = _lock(lease.lock)
        is_alive = watch.is_alive(found)
        if is_near and is_locked is False:
            is_alive = True  # also before it has written its file, and after its holder was killed
        elif found is None:
            if lease.create():
                return
            continue
        elif is_near and is_locked:
            lease.take_over()
            return
        elif not is_alive:
            lease.take_over()
            time.sleep(_SETTLES_S)
            if lease.is_ours():
                return
            lease.lost_to = None
            continue
        if waits is None and (watch.has_moved or (is_near and is_locked is False)):
            raise HeldError("is held already", str(path))
        if waits is not None and not has_said:
            has_said = True
            job = f", SLURM job {found['job']}" if found and found["job"] else ""
            waits("" if is_near else f" on {found['host']}{job}")
        time.sleep(_LOOKS_S)


@contextmanager
def kept(lease: Lease) -> Iterator[None]:
    """Keep a lease in a thread, for a holder that is busy."""
    stopped = threading.Event()

    def beat() -> None:
        while lease.keep() and not stopped.wait(_LOOKS_S):
            pass

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


_WATCHES: dict[Path, Watch] = {}


def is_held(path: Path, lock: Path, host: Host | None = None) -> bool:
    """Whether somebody holds a lease.

    On this host we know it at once. Of another host's it is assumed at first, and known when we
    have asked again for half a minute.
    """
    found = _read(path)
    is_near = found is None or Host(found["host"], found["boot"]) == (host or this_host())
    if is_near and lock.exists():
        with lock.open() as stream:
            is_free = _lock(stream.fileno(), fcntl.LOCK_SH)
        if is_free is not None:
            return not is_free
    return _WATCHES.setdefault(path.absolute(), Watch()).is_alive(found)


def _lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool | None:
    """Lock a file; False if another process has it, None where the file system has no locks."""
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
    """What a lease's file holds, opened anew, so that NFS fetches it; None if there is none."""
    for _ in range(3):
        try:
            return json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except ValueError:  # a power cut can leave it empty
            break
        except OSError as error:
            if error.errno != errno.ESTALE:  # it was replaced while it was opened
                raise
    return {"token": "", "host": "an unknown host", "boot": "", "job": None, "beat": 0}


def _write(path: Path, content: Any) -> None:
    _part(path, content).replace(path)


def _part(path: Path, content: Any) -> Path:
    """The content in a file beside it, under a name that no other host uses."""
    part = path.with_name(f".{path.name}.{content['token']}.part")
    part.write_text(json.dumps(content, indent=2) + "\n")
    return part
