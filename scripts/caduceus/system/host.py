"""The host that a run is on: its processor and memory."""

import os
import platform
from pathlib import Path
from typing import Any

import psutil

_CPUINFO = Path("/proc/cpuinfo")


def describe_machine() -> dict[str, Any]:
    """This host: `cpu` (the model), `cpus` (logical ones) and `memory_gb` (10^9 bytes)."""
    return {
        "cpu": cpu_model(_CPUINFO.read_text() if _CPUINFO.exists() else ""),
        "cpus": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }


def cpu_model(cpuinfo: str) -> str:
    """The processor's model.

    Args:
        cpuinfo: /proc/cpuinfo, which names none on ARM; the architecture stands for it then.
    """
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return " ".join(value.split())
    return platform.machine()
