"""Linux: processes by prctl(2) and process descriptors, and what the kernel says of itself."""

import ctypes
import os
import platform
import resource
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# <linux/prctl.h>
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 1, 36, 37
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CPUINFO = Path("/proc/cpuinfo")


def boot_id() -> str:
    """Return what tells this boot of the host from others."""
    return _BOOT_ID.read_text().strip()


def cpu_model() -> str:
    """Return the model of the processor."""
    return model_in(_CPUINFO.read_text() if _CPUINFO.exists() else "")


def mps() -> str | None:
    """Return the GPU that PyTorch uses as `mps`: none, only macOS has it."""
    return None


def model_in(cpuinfo: str) -> str:
    """Return the model of the processor, or the architecture where it isn't named, as on ARM.

    Args:
        cpuinfo: the contents of /proc/cpuinfo.
    """
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return " ".join(value.split())
    return platform.machine()


def end_with_parent() -> None:
    """Have this process get SIGTERM when its parent ends; for a child, before its program."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def until_end(pid: int) -> Iterator[Callable[[float], bool]]:
    """Watch a process, which isn't reaped.

    Args:
        pid: its process id.

    Yields:
        A function that waits for its end for a number of seconds at most, and returns whether it
        has ended.
    """
    ended = os.pidfd_open(pid)
    try:
        yield lambda timeout_s: bool(select.select([ended], [], [], timeout_s)[0])
    finally:
        os.close(ended)


@contextmanager
def adopted_orphans() -> Iterator[bool]:
    """Make this process the parent of processes whose parent, a descendant of it, has ended.

    Yields:
        True: it is a child subreaper (prctl(2)).
    """
    prctl = ctypes.CDLL(None).prctl
    before = ctypes.c_int()
    prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before))
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield True
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, before.value)


def peak_memory_bytes(usage: resource.struct_rusage) -> int:
    """Return the largest resident memory that a process had."""
    return usage.ru_maxrss * 1024
