"""The one door to NVML: the GPUs this process may use, and how busy they are."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pynvml


@dataclass(frozen=True)
class GpuSample:
    """Utilisation in percent and used memory in 10^9 bytes, of a whole GPU."""

    utilization: float
    memory_used_gb: float


def visible_gpus(library: Any = pynvml) -> list[Any]:
    """NVML handles of the GPUs in CUDA_VISIBLE_DEVICES, in its order; none without a driver.

    Args:
        library: pynvml, or what a test puts in its place.
    """
    try:
        library.nvmlInit()
        handles = [
            library.nvmlDeviceGetHandleByIndex(index)
            for index in range(library.nvmlDeviceGetCount())
        ]
    except library.NVMLError:
        return []
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return handles
    uuids = [_text(library.nvmlDeviceGetUUID(handle)) for handle in handles]
    visible = []
    for word in chosen.split(","):
        index = _index(word.strip(), uuids)
        if index is None:  # CUDA, too, stops at the first name that it doesn't know
            break
        visible.append(handles[index])
    return visible


def sample(handles: Sequence[Any], library: Any = pynvml) -> list[GpuSample]:
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


def _index(word: str, uuids: Sequence[str]) -> int | None:
    """The index of a GPU that is named by its index, its UUID or the start of its UUID."""
    if word.isdigit():
        return int(word) if int(word) < len(uuids) else None
    return next((n for n, uuid in enumerate(uuids) if word and uuid.startswith(word)), None)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
