"""Reserve GPUs for a run by file locks, and hide all others from it.

A scheduler assigns GPUs to jobs. On a workstation nothing does, and CUDA would put every program on
the first GPU. So each run locks its GPUs, or its share of one, against all users and projects of
the host.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
        meter: measures their energy from now on; not that of a shared GPU, which belongs to several
            runs.
        environment: the variables that make CUDA use these GPUs only.
        locks: descriptors of the locked files. A program that inherits them keeps its GPUs until it
            ends, even if this process is killed.
        share: which part of its one GPU the run has; None if it has whole GPUs, or none.
    """

    uuids: list[str]
    models: list[nvml.GpuModel | None]
    meter: nvml.EnergyMeter
    environment: dict[str, str]
    locks: list[int]
    share: float | None = None


@contextmanager
def reserved(
    amount: float,
    folder: Path | None = None,
    should_continue: Callable[[], bool] = lambda: True,
    library: Any = nvml.LIBRARY,
    poll_s: float = 1.0,
) -> Iterator[Reservation]:
    """Reserve free GPUs among those in CUDA_VISIBLE_DEVICES; wait until there are enough.

    GPUs with little memory in use are preferred, since programs that weren't started by Caduceus
    take no locks. A share is preferably one of a GPU that others share already, since runs that
    need whole GPUs need empty ones.

    Args:
        amount: the number of GPUs, or the share of one if it is between 0 and 1; with 0 the run
            sees none.
        folder: the folder of the locks; `gpu_locks.lock_folder()` by default.
        should_continue: is called twice a second while waiting; False ends the wait.
        library: pynvml, or a test's substitute.
        poll_s: about how long to wait between two attempts, in seconds.

    Raises:
        ResourceError: the host has fewer GPUs, or `should_continue` returned False.
    """
    if not amount:
        yield Reservation([], [], nvml.EnergyMeter([]), {"CUDA_VISIBLE_DEVICES": ""}, [])
        return
    found = [*{gpu.uuid: gpu for gpu in nvml.find_gpus(library)}.values()]
    if len(found) < amount:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        among = "" if visible is None else f" in CUDA_VISIBLE_DEVICES={visible}"
        raise ResourceError(
            f"the run needs {amount:g}, and this host has {len(found) or 'none'}{among} that NVML "
            "shows; lower resources.gpus or run it on another host",
            "GPUs",
        )
    share = amount if amount < 1 else None
    locks = _wait(
        found, amount, folder or gpu_locks.lock_folder(), should_continue, library, poll_s
    )
    try:
        chosen = [gpu for gpu in found if gpu.uuid in locks]
        environment = {
            "CUDA_VISIBLE_DEVICES": ",".join(gpu.name for gpu in chosen),
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # the order of NVML, from which the indices are
        }
        yield Reservation(
            [gpu.uuid for gpu in chosen],
            [nvml.model_of(gpu, library) for gpu in chosen],
            nvml.EnergyMeter([] if share else chosen, library),
            environment,
            _descriptors(locks),
            share,
        )
    finally:
        gpu_locks.release(_descriptors(locks))


def _wait(
    found: Sequence[nvml.Gpu],
    amount: float,
    folder: Path,
    should_continue: Callable[[], bool],
    library: Any,
    poll_s: float,
) -> dict[str, list[int]]:
    """Lock as many GPUs or such a share, and return the descriptors by UUID.

    Either all are held or none, so that two processes can't wait for each other's GPUs.
    """
    is_announced = False
    while True:
        locks = _lock_now(found, amount, folder, library)
        if len(locks) >= amount:
            return locks
        gpu_locks.release(_descriptors(locks))
        if not is_announced:
            is_announced = True
            wanted = f"{amount} free" if amount >= 1 else f"a share of {amount:g} in one"
            print(
                f"caduceus train: waiting for {wanted} of {len(found)} GPUs; other runs of this "
                f"host hold the rest (locks in {folder})",
                file=sys.stderr,
            )
        # At random, so that two processes that each lack one of the other's GPUs don't retry at the
        # same moments for ever.
        until = time.monotonic() + poll_s * (0.5 + random.random())
        while time.monotonic() < until:
            if not should_continue():
                raise ResourceError("stopped waiting: another host has taken over the run", "GPUs")
            time.sleep(min(_CALLBACK_S, poll_s))


def _lock_now(
    found: Sequence[nvml.Gpu], amount: float, folder: Path, library: Any
) -> dict[str, list[int]]:
    """Lock up to `amount` of the GPUs that are free now, or such a share of one."""

    def order(gpu: nvml.Gpu) -> int:
        if amount < 1 and gpu_locks.is_shared(folder, gpu.uuid):
            return 0  # whose memory the other runs use
        return 2 if nvml.used_memory(gpu, library) >= _IN_USE_BYTES else 1

    locks: dict[str, list[int]] = {}
    for gpu in sorted(found, key=order):
        if len(locks) >= amount:
            break
        held = (
            gpu_locks.lock_whole(folder, gpu.uuid)
            if amount >= 1
            else gpu_locks.lock_share(folder, gpu.uuid, amount)
        )
        if held is not None:
            locks[gpu.uuid] = held
    return locks


def _descriptors(locks: Mapping[str, Sequence[int]]) -> list[int]:
    return [descriptor for held in locks.values() for descriptor in held]
