"""The interface to NVML: the GPUs that this process may use, their load and energy."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any


class _Library:
    """pynvml, imported when it is first asked for something: most runs use no GPU."""

    def __getattr__(self, name: str) -> Any:
        import pynvml

        return getattr(pynvml, name)


LIBRARY: Any = _Library()


@dataclass(frozen=True)
class GpuSample:
    """Utilization in percent and used memory in 10^9 bytes, of a whole GPU."""

    utilization: float
    memory_used_gb: float


@dataclass(frozen=True)
class Gpu:
    """A GPU, or a MIG partition of one.

    `name` is its name in CUDA_VISIBLE_DEVICES, `handle` its handle in NVML.
    """

    name: str
    uuid: str
    handle: Any


def find_gpus(library: Any = LIBRARY) -> list[Gpu]:
    """Return the GPUs in CUDA_VISIBLE_DEVICES, in its order, or all; none without a driver.

    Indices there are taken as NVML's, in the order of the PCI bus. CUDA's default order is another
    (the fastest GPU first), so that indices mean the same only with CUDA_DEVICE_ORDER=PCI_BUS_ID,
    which `gpus.reserved` sets.

    Args:
        library: pynvml, or a test's substitute.
    """
    try:
        library.nvmlInit()
        count = library.nvmlDeviceGetCount()
    except library.NVMLError:
        return []
    gpus = {gpu.name: gpu for gpu in _answering(count, library)}
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return list(gpus.values())
    found = []
    for word in map(str.strip, chosen.split(",")):
        named = _named(word, gpus)
        if named is not None:
            found.append(replace(named, name=word))
        elif word.startswith("MIG-"):
            try:
                found.append(Gpu(word, word, library.nvmlDeviceGetHandleByUUID(word)))
            except library.NVMLError:
                break
        else:  # CUDA ignores an unknown name and all that follow, too
            break
    return found


def _answering(count: int, library: Any) -> Iterator[Gpu]:
    """Yield the GPUs by index, without those that don't answer, such as one off the bus."""
    for index in range(count):
        with contextlib.suppress(library.NVMLError):
            handle = library.nvmlDeviceGetHandleByIndex(index)
            yield Gpu(str(index), _text(library.nvmlDeviceGetUUID(handle)), handle)


@dataclass(frozen=True)
class GpuModel:
    """The name of a GPU's model, and its memory in 10^9 bytes."""

    name: str
    memory_gb: float


def model_of(gpu: Gpu, library: Any = LIBRARY) -> GpuModel | None:
    """Return the model of a GPU; None if NVML doesn't tell."""
    try:
        name = _text(library.nvmlDeviceGetName(gpu.handle))
        memory = library.nvmlDeviceGetMemoryInfo(gpu.handle).total
    except library.NVMLError:
        return None
    return GpuModel(name, round(memory / 1e9, 1))


class EnergyMeter:
    """Measure the energy that GPUs use from now on, idle or not.

    Args:
        gpus: whole GPUs; MIG partitions have no counter, and neither have GPUs before Volta.
        library: pynvml, or a test's substitute.
    """

    def __init__(self, gpus: Sequence[Gpu], library: Any = LIBRARY):
        self._gpus, self._library = gpus, library
        self._start_mj = self._read()

    def used_j(self) -> float | None:
        """Return the energy in joules; None without GPUs, or if one of them has no counter."""
        end_mj = self._read()
        if end_mj is None or self._start_mj is None or end_mj < self._start_mj:
            return None  # the driver was reloaded, which resets the counter
        return (end_mj - self._start_mj) / 1e3

    def _read(self) -> int | None:
        """Return the millijoules since the driver was loaded, over all GPUs."""
        if not self._gpus:
            return None
        try:
            energy_mj = self._library.nvmlDeviceGetTotalEnergyConsumption
            return sum(int(energy_mj(gpu.handle)) for gpu in self._gpus)
        except self._library.NVMLError:
            return None


def visible_gpus(library: Any = LIBRARY) -> list[Any]:
    """Return the NVML handles of the GPUs that this process may use; see `find_gpus`."""
    return [gpu.handle for gpu in find_gpus(library)]


@dataclass(frozen=True)
class Driver:
    """The NVIDIA driver: its version, the newest CUDA that it supports, and all GPUs' models."""

    version: str
    cuda: str
    gpus: list[str]


def driver(library: Any = LIBRARY) -> Driver | None:
    """Return the driver of this host; None without one, or without a GPU."""
    try:
        library.nvmlInit()
        gpus = _answering(library.nvmlDeviceGetCount(), library)
        names = [_text(library.nvmlDeviceGetName(gpu.handle)) for gpu in gpus]
        version = _text(library.nvmlSystemGetDriverVersion())
        cuda = int(library.nvmlSystemGetCudaDriverVersion_v2())
    except library.NVMLError:
        return None
    return Driver(version, f"{cuda // 1000}.{cuda % 1000 // 10}", names) if names else None


def used_memory(gpu: Gpu, library: Any = LIBRARY) -> int:
    """Return the bytes in use on a GPU, by any process; 0 if NVML doesn't tell."""
    try:
        return int(library.nvmlDeviceGetMemoryInfo(gpu.handle).used)
    except library.NVMLError:
        return 0


def sample(handles: Sequence[Any], library: Any = LIBRARY) -> list[GpuSample]:
    """Return one sample of each GPU; GPUs that don't answer are left out."""
    samples = []
    for handle in handles:
        try:
            utilization = library.nvmlDeviceGetUtilizationRates(handle).gpu
            used = library.nvmlDeviceGetMemoryInfo(handle).used
        except library.NVMLError:
            continue
        samples.append(GpuSample(float(utilization), used / 1e9))
    return samples


def _named(word: str, gpus: Mapping[str, Gpu]) -> Gpu | None:
    """Return the GPU with this index, UUID or beginning of a UUID."""
    if word.isdigit():
        return gpus.get(str(int(word)))
    return next((gpu for gpu in gpus.values() if word and gpu.uuid.startswith(word)), None)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
