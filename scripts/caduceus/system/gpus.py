"""The GPUs of a run: free ones are taken by locks, and the run sees no others.

A scheduler hands GPUs out itself. On a workstation nobody does, and CUDA would put every program
on the first one; so each run locks its GPUs, against all users and projects of this host.
"""

import contextlib
import fcntl
import os
import random
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import ResourceError
from caduceus.system import nvml

_LOOKS_S = 1.0
_CALLS_S = 0.5  # how often the caller is asked, meanwhile, whether to go on waiting
_IN_USE_BYTES = 1 << 30  # an idle GPU has less than that in use, for its driver


@dataclass(frozen=True)
class Share:
    """The GPUs of one run: their UUIDs and models, and what they use from now on.

    `environment` is what the run's environment says of them. A program that inherits the `locks`
    keeps its GPUs until it has ended, whatever becomes of us.
    """

    uuids: list[str]
    models: list[nvml.GpuModel | None]
    meter: nvml.EnergyMeter
    environment: dict[str, str]
    locks: list[int]


def lock_folder() -> Path:
    """Where all users of this host lock GPUs: in memory where the system offers that."""
    shared = Path("/run/lock")
    is_open_to_all = shared.is_dir() and shared.stat().st_mode & stat.S_IWOTH
    return (shared if is_open_to_all else Path("/tmp")) / "caduceus-gpus"


@contextmanager
def taken(
    count: int,
    folder: Path | None = None,
    goes_on: Callable[[], bool] = lambda: True,
    library: Any = nvml.LIBRARY,
) -> Iterator[Share]:
    """Take free GPUs, of those that CUDA_VISIBLE_DEVICES allows us; waits until there are enough.

    Those that nobody computes on go first, since not every program of this host asks here.

    Args:
        count: how many; with 0 the run sees none.
        folder: holds the locks; `lock_folder()` by default.
        goes_on: called twice a second while we wait.
        library: pynvml, or what a test puts in its place.

    Raises:
        ResourceError: there are fewer than `count`, or `goes_on` said False.
    """
    if not count:
        yield Share([], [], nvml.EnergyMeter([]), {"CUDA_VISIBLE_DEVICES": ""}, [])
        return
    found = [*{gpu.uuid: gpu for gpu in nvml.find_gpus(library)}.values()]
    if len(found) < count:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        among = "" if visible is None else f" in CUDA_VISIBLE_DEVICES={visible}"
        raise ResourceError(
            f"the run needs {count}, and this host has {len(found) or 'none'}{among} that NVML "
            "shows; lower resources.gpus or run it on another host",
            "GPUs",
        )
    locks = _wait(found, count, folder or lock_folder(), goes_on, library)
    try:
        chosen = [gpu for gpu in found if gpu.uuid in locks]
        environment = {
            "CUDA_VISIBLE_DEVICES": ",".join(gpu.name for gpu in chosen),
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # NVML's, by which an index is meant
        }
        yield Share(
            [gpu.uuid for gpu in chosen],
            [nvml.model_of(gpu, library) for gpu in chosen],
            nvml.EnergyMeter(chosen, library),
            environment,
            [*locks.values()],
        )
    finally:
        _release(locks.values())


def _wait(
    found: Sequence[nvml.Gpu], count: int, folder: Path, goes_on: Callable[[], bool], library: Any
) -> dict[str, int]:
    """The locks of `count` GPUs by their UUIDs. All or none are held, so that nobody deadlocks."""
    said = False
    while True:
        locks: dict[str, int] = {}
        for gpu in sorted(found, key=lambda gpu: nvml.used_memory(gpu, library) >= _IN_USE_BYTES):
            if len(locks) == count:
                break
            lock = _lock(folder, gpu.uuid)
            if lock is not None:
                locks[gpu.uuid] = lock
        if len(locks) == count:
            return locks
        _release(locks.values())
        if not said:
            said = True
            print(
                f"caduceus train: waiting for {count} free of {len(found)} GPUs; other runs of "
                f"this host hold the rest (locks in {folder})",
                file=sys.stderr,
            )
        until = time.monotonic() + _LOOKS_S * (0.5 + random.random())
        while time.monotonic() < until:
            if not goes_on():
                raise ResourceError("waited in vain: the run was given to another host", "GPUs")
            time.sleep(min(_CALLS_S, _LOOKS_S))


def _lock(folder: Path, uuid: str) -> int | None:
    """Lock a GPU; None if it is taken."""
    path = folder / uuid
    while True:
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass
        os.close(descriptor)  # somebody has cleaned up meanwhile


def _open(path: Path) -> int:
    """A lock file that every user can lock. Reading is enough for that, and nobody may write."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, flags)
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir()
            path.parent.chmod(0o1777)
        # Not as one call with the first: Linux refuses O_CREAT on what is another user's here.
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644)
            os.fchmod(descriptor, 0o644)  # whatever the umask
            return descriptor
        return os.open(path, flags)
    except OSError as error:
        raise ResourceError(
            f"{error.strerror}: GPUs are locked there; remove what is in its place", str(path)
        ) from None


def _release(locks: Iterable[int]) -> None:
    for descriptor in locks:
        os.close(descriptor)
