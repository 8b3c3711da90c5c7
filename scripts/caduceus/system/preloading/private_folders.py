"""The private folders of preload servers, one for each process that is served, and their keys."""

import fcntl
import hashlib
import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from caduceus.system import kernel
from caduceus.system.preloading.requests import NotForkedError, PythonCommand

_STATUS = ("Uid", "Gid", "Groups", "CapEff", "NoNewPrivs", "Seccomp", "Cpus_allowed_list")
_NAMESPACES = ("mnt", "net", "pid", "user", "ipc", "uts")
_KEY_DIGITS = 16
_ASK_S = 0.5
_POLL_S = 0.02  # most servers start within seconds, while the processor of the waiting run idles


def owner_folder(owner: int) -> Path:
    """Return the folder of the servers of a process, and delete those of processes that ended.

    Raises:
        NotForkedError: there can't be one that only this user may enter.
    """
    root = Path(tempfile.gettempdir()) / f"caduceus-preload-{os.geteuid()}-{_process_space()}"
    started = _start_time(owner)
    if started is None:
        raise NotForkedError("the build that it belongs to has ended")
    folder = root / f"{owner}-{started}"
    try:
        for path in (root, folder):
            path.mkdir(mode=0o700, exist_ok=True)
            status = path.lstat()
            if status.st_uid != os.geteuid() or status.st_mode & 0o077:
                raise NotForkedError(f"{path} isn't private: delete it")
        for other in root.iterdir():
            pid, _, start = other.name.partition("-")
            if pid.isdigit() and _start_time(int(pid)) != start:
                shutil.rmtree(other, ignore_errors=True)
    except OSError as error:
        raise NotForkedError(f"{root}: {error.strerror}") from None
    return folder


def _process_space() -> str:
    """Return a digest that is equal where process ids mean the same processes."""
    boot = kernel.boot_id()
    text = f"{boot}{Path('/proc/self/ns/pid').readlink()}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _start_time(pid: int) -> str | None:
    """Return when a process started, in ticks since the boot; None if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()[19]


def key(
    command: PythonCommand,
    environment: Mapping[str, str],
    modules: Sequence[str],
    replaced: Sequence[str],
) -> str:
    """Return the digest of all that a server shares with its programs.

    That is the interpreter, the modules, the environment without what varies, and what can't be
    changed after a fork: users, capabilities, namespaces, control group, processors, priority.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    status = command.interpreter.stat()
    shared = {
        "interpreter": [str(command.interpreter), status.st_mtime_ns, status.st_ino],
        "modules": [*modules],
        "replaced": [*replaced],
        "environment": dict(sorted(environment.items())),
        "status": [line for line in lines if line.partition(":")[0] in _STATUS],
        "namespaces": [str(Path(f"/proc/self/ns/{name}").readlink()) for name in _NAMESPACES],
        "cgroup": Path("/proc/self/cgroup").read_text(),
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "oom": Path("/proc/self/oom_score_adj").read_text(),
        "limits": [
            resource.getrlimit(getattr(resource, name))[1]
            for name in sorted(dir(resource))
            if name.startswith("RLIMIT_")
        ],
    }
    text = json.dumps(shared, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_KEY_DIGITS]


@contextmanager
def locked(folder: Path, should_wait: Callable[[], bool]) -> Iterator[None]:
    """Hold the lock of a server's folder, which is made if it isn't there.

    Another holds it while it starts the server; `should_wait` is called twice a second meanwhile.

    Raises:
        NotForkedError: `should_wait` is false.
    """
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            asked_s = time.monotonic()
            while not _is_locked(descriptor):
                time.sleep(_POLL_S)
                if time.monotonic() - asked_s < _ASK_S:
                    continue
                asked_s = time.monotonic()
                if not should_wait():
                    raise NotForkedError("it was stopped while the preload server started")
            if _is_same(folder / "lock", descriptor):
                yield
                return
        finally:
            os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    """Lock a file unless another process holds its lock; returns whether it is locked now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_same(path: Path, descriptor: int) -> bool:
    """Whether a path still leads to an open file, and no ending server has deleted it."""
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except OSError:
        return False


def tell_once(folder: Path, reason: str) -> bool:
    """Whether this reason is given for the first time among the programs of one owner."""
    name = hashlib.sha256(reason.encode("utf-8", "replace")).hexdigest()[:_KEY_DIGITS]
    try:
        (folder / f"told-{name}").touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        return True
    return True
