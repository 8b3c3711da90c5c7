"""Reserve GPUs for a run by file locks, and hide all others from it.

A scheduler assigns GPUs to jobs. On a workstation nothing does, and CUDA would put every program on
the first GPU. So each run locks its GPUs against all users and projects of the host.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import ResourceError
from caduceus.system import gpu_locks, nvml

_CALLBACK_S = 0.5  # how often, while waiting, the caller is asked whether to continue
_IN_USE_BYTES = 1 << 30  # an idle GPU has less memory in use, by its driver


@dataclass(frozen=True)
class Reservation:
    """The GPUs of one run.

    Attributes:
        uuids: their UUIDs.
        models: their models, in the same order; None where NVML doesn't tell.
        meter: measures their energy from now on.
        environment: the variables that make CUDA use these GPUs only.
        locks: descriptors of the locked files. A program that inherits them keeps its GPUs until it
            ends, even if this process is killed.
    """

    uuids: list[str]
    models: list[nvml.GpuModel | None]
    meter: nvml.EnergyMeter
    environment: dict[str, str]
    locks: list[int]


@contextmanager
def reserved(
    count: int,
    folder: Path | None = None,
    should_continue: Callable[[], bool] = lambda: True,
    library: Any = nvml.LIBRARY,
    poll_s: float = 1.0,
) -> Iterator[Reservation]:
    """Reserve free GPUs among those in CUDA_VISIBLE_DEVICES; wait until there are enough.

    GPUs with little memory in use are preferred, since programs that weren't started by Caduceus
    take no locks.

    Args:
        count: the number of GPUs; with 0 the run sees none.
        folder: the folder of the locks; `gpu_locks.lock_folder()` by default.
        should_continue: is called twice a second while waiting; False ends the wait.
        library: pynvml, or a test's substitute.
        poll_s: about how long to wait between two attempts, in seconds.

    Raises:
        ResourceError: the host has fewer than `count` GPUs, or `should_continue` returned False.
    """
    if not count:
        yield Reservation([], [], nvml.EnergyMeter([]), {"CUDA_VISIBLE_DEVICES": ""}, [])
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
    locks = _wait(found, count, folder or gpu_locks.lock_folder(), should_continue, library, poll_s)
    try:
        chosen = [gpu for gpu in found if gpu.uuid in locks]
        environment = {
            "CUDA_VISIBLE_DEVICES": ",".join(gpu.name for gpu in chosen),
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # the order of NVML, from which the indices are
        }
        yield Reservation(
            [gpu.uuid for gpu in chosen],
            [nvml.model_of(gpu, library) for gpu in chosen],
            nvml.EnergyMeter(chosen, library),
            environment,
            [*locks.values()],
        )
    finally:
        gpu_locks.release(locks.values())


def _wait(
    found: Sequence[nvml.Gpu],
    count: int,
    folder: Path,
    should_continue: Callable[[], bool],
    library: Any,
    poll_s: float,
) -> dict[str, int]:
    """Lock `count` GPUs, and return the locks by UUID.

    Either all are held or none, so that two processes can't wait for each other's GPUs.
    """
    is_announced = False
    while True:
        locks: dict[str, int] = {}
        for gpu in sorted(found, key=lambda gpu: nvml.used_memory(gpu, library) >= _IN_USE_BYTES):
            if len(locks) == count:
                break
            lock = gpu_locks.lock(folder, gpu.uuid)
            if lock is not None:
                locks[gpu.uuid] = lock
        if len(locks) == count:
            return locks
        gpu_locks.release(locks.values())
        if not is_announced:
            is_announced = True
            print(
                f"caduceus train: waiting for {count} free of {len(found)} GPUs; other runs of "
                f"this host hold the rest (locks in {folder})",
                file=sys.stderr,
            )
        # At random, so that two processes that each lack one of the other's GPUs don't retry at the
        # same moments for ever.
        until = time.monotonic() + poll_s * (0.5 + random.random())
        while time.monotonic() < until:
            if not should_continue():
                raise ResourceError("stopped waiting: another host has taken over the run", "GPUs")
            time.sleep(min(_CALLBACK_S, poll_s))
