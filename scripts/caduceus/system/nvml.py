"""The one door to NVML: the GPUs this process may use, and how busy they are."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pynvml

LIBRARY: Any = pynvml


@dataclass(frozen=True)
class GpuSample:
    """Utilisation in percent and used memory in 10^9 bytes, of a whole GPU."""

    utilization: float
    memory_used_gb: float


@dataclass(frozen=True)
class Gpu:
    """A GPU, or the part of one that MIG makes.

    `name` is what CUDA_VISIBLE_DEVICES calls it, `handle` NVML's own.
    """

    name: str
    uuid: str
    handle: Any


def find_gpus(library: Any = LIBRARY) -> list[Gpu]:
    """The GPUs in CUDA_VISIBLE_DEVICES, in its order, else all; none without a driver.

    An index there is taken as NVML's, in the order of the PCI bus. CUDA's own default is another
    (the fastest first), so that whoever hands out indices also sets CUDA_DEVICE_ORDER=PCI_BUS_ID,
    as `gpus.taken` does.

    Args:
        library: pynvml, or what a test puts in its place.
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
        else:  # CUDA, too, stops at the first name that it doesn't know
            break
    return found


def _answering(count: int, library: Any) -> Iterator[Gpu]:
    """The GPUs under their indices; one that has fallen off the bus hides no other."""
    for index in range(count):
        with contextlib.suppress(library.NVMLError):
            handle = library.nvmlDeviceGetHandleByIndex(index)
            yield Gpu(str(index), _text(library.nvmlDeviceGetUUID(handle)), handle)


@dataclass(frozen=True)
class GpuModel:
    """What a GPU is, and its memory in 10^9 bytes."""

    name: str
    memory_gb: float


def model_of(gpu: Gpu, library: Any = LIBRARY) -> GpuModel | None:
    """A GPU's model; None if it doesn't say."""
    try:
        name = _text(library.nvmlDeviceGetName(gpu.handle))
        memory = library.nvmlDeviceGetMemoryInfo(gpu.handle).total
    except library.NVMLError:
        return None
    return GpuModel(name, round(memory / 1e9, 1))


class EnergyMeter:
    """What GPUs use from now on, idle or not.

    Args:
        gpus: whole ones; parts that MIG makes have no counter, nor have GPUs before Volta.
        library: pynvml, or what a test puts in its place.
    """

    def __init__(self, gpus: Sequence[Gpu], library: Any = LIBRARY):
        self._gpus, self._library = gpus, library
        self._start_mj = self._read()

    def used_j(self) -> float | None:
        """Joules; None without GPUs, or if one of them doesn't say."""
        end_mj = self._read()
        if end_mj is None or self._start_mj is None or end_mj < self._start_mj:
            return None  # the counter starts at 0 when the driver is loaded anew
        return (end_mj - self._start_mj) / 1e3

    def _read(self) -> int | None:
        """Millijoules since the driver was loaded."""
        if not self._gpus:
            return None
        try:
            ask = self._library.nvmlDeviceGetTotalEnergyConsumption
            return sum(int(ask(gpu.handle)) for gpu in self._gpus)
        except self._library.NVMLError:
            return None


def visible_gpus(library: Any = LIBRARY) -> list[Any]:
    """NVML handles of the GPUs that this process may use, as `find_gpus` has them."""
    return [gpu.handle for gpu in find_gpus(library)]


@dataclass(frozen=True)
class Driver:
    """The NVIDIA driver: its version, the newest CUDA it runs, and the models of all GPUs."""

    version: str
    cuda: str
    gpus: list[str]


def driver(library: Any = LIBRARY) -> Driver | None:
    """The driver of this host; None without one, or without a GPU."""
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
    """Bytes in use on a GPU, whoever uses them; 0 if it doesn't say."""
    try:
        return int(library.nvmlDeviceGetMemoryInfo(gpu.handle).used)
    except library.NVMLError:
        return 0


def sample(handles: Sequence[Any], library: Any = LIBRARY) -> list[GpuSample]:
    """One sample of each GPU; a GPU that doesn't answer is left out."""
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
    """The GPU that is named by its index, its UUID or the start of its UUID."""
    if word.isdigit():
        return gpus.get(str(int(word)))
    return next((gpu for gpu in gpus.values() if word and gpu.uuid.startswith(word)), None)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
