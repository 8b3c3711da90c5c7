"""System metrics of the running program, sampled in a thread."""

import threading
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import psutil

from caduceus.system import nvml

_WANDB_SERVICE = "wandb-core"  # W&B's own process, which doesn't count as the program's


class Sampler:
    """Samples until it is stopped; `collect` returns the means since the last call.

    The thread never calls `run.log`, which would shift every step of the program.
    """

    def __init__(self, interval_s: float = 2.0):
        self._interval_s = interval_s
        self._process = psutil.Process()
        self._children: dict[int, psutil.Process] = {}
        self._gpus = nvml.visible_gpus()
        self._samples: list[dict[str, float]] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="system metrics", daemon=True)
        self._process.cpu_percent()  # the first call starts the measurement
        self._thread.start()

    def collect(self) -> dict[str, float]:
        """Return the mean of each metric over the samples since the last call.

        `system/cpu_percent`: of one core, summed over the program's processes.
        `system/memory_used_gb`: resident memory of these processes, in 10^9 bytes.
        `system/gpu_utilization`: percent, the mean over the visible GPUs.
        `system/gpu_memory_used_gb`: 10^9 bytes, the sum over the visible GPUs.
        With several GPUs there are also those of each GPU: `system/gpu0_utilization` and so on.
        Without a GPU these metrics are absent, not zero.
        """
        with self._lock:
            samples, self._samples = self._samples, []
        keys = dict.fromkeys(key for sample in samples for key in sample)
        return {key: fmean(s[key] for s in samples if key in s) for key in keys}

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join()

    def _loop(self) -> None:
        wait_s = min(0.5, self._interval_s)  # so that a run of one second has a sample
        while not self._stopped.wait(wait_s):
            wait_s = self._interval_s
            sample = self._processes() | gpu_metrics(nvml.sample(self._gpus))
            with self._lock:
                self._samples.append(sample)

    def _processes(self) -> dict[str, float]:
        cpu = memory = 0.0
        found = {child.pid: child for child in self._process.children(recursive=True)}
        # The objects are kept: each measures its CPU use since its own last call.
        self._children = {pid: self._children.get(pid, child) for pid, child in found.items()}
        for process in (self._process, *self._children.values()):
            try:
                if process.name() == _WANDB_SERVICE:
                    continue
                cpu += process.cpu_percent()
                memory += process.memory_info().rss
            except psutil.Error:
                continue  # it has ended
        return {"system/cpu_percent": cpu, "system/memory_used_gb": memory / 1e9}


def gpu_metrics(samples: Sequence[nvml.GpuSample]) -> dict[str, float]:
    """Return the metrics of one sample of the visible GPUs."""
    if not samples:
        return {}
    metrics: dict[str, Any] = {
        "system/gpu_utilization": fmean(gpu.utilization for gpu in samples),
        "system/gpu_memory_used_gb": sum(gpu.memory_used_gb for gpu in samples),
    }
    if len(samples) > 1:
        for index, gpu in enumerate(samples):
            metrics[f"system/gpu{index}_utilization"] = gpu.utilization
            metrics[f"system/gpu{index}_memory_used_gb"] = gpu.memory_used_gb
    return metrics
