"""Describe the host of a run: its processor and memory."""

import os
import platform
from pathlib import Path
from typing import Any

import psutil

_CPUINFO = Path("/proc/cpuinfo")


def describe_machine() -> dict[str, Any]:
    """Return `cpu` (the model), `cpus` (their number, logical) and `memory_gb` (10^9 bytes)."""
    return {
        "cpu": cpu_model(_CPUINFO.read_text() if _CPUINFO.exists() else ""),
        "cpus": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }


def cpu_model(cpuinfo: str) -> str:
    """Return the model of the processor, or the architecture where it isn't named, as on ARM.

    Args:
        cpuinfo: the contents of /proc/cpuinfo.
    """
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return " ".join(value.split())
    return platform.machine()
