"""Describe the host of a run: its processor, its memory, and the GPU of macOS."""

import os
from typing import Any

import psutil

from caduceus.system import kernel


def describe_machine() -> dict[str, Any]:
    """Return the processor, memory and GPU of macOS, as an attempt's record names them.

    That is `cpu` (the model), `cpus` (their number, logical), `memory_gb` (10^9 bytes) and `mps`
    (the GPU that PyTorch uses by this name, or None).
    """
    return {
        "cpu": kernel.cpu_model(),
        "cpus": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "mps": kernel.mps(),
    }
