"""macOS, and any other system with POSIX: processes by psutil, the rest by sysctl(3).

What Linux has and these lack: a program isn't told when its supervisor is killed (its lease holds
until it has ended), and a process that the program started and whose parent ended between two looks
isn't found.
"""

import ctypes
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import psutil

_POLL_S = 0.05
_LONGEST = 256  # bytes of a text of the kernel


def boot_id() -> str:
    """Return what tells this boot of the host from others."""
    return _sysctl("kern.bootsessionuuid") or str(int(psutil.boot_time()))


def cpu_model() -> str:
    """Return the model of the processor, or the architecture where it isn't named."""
    return _sysctl("machdep.cpu.brand_string") or platform.machine()


def mps() -> str | None:
    """Return the GPU that PyTorch uses as `mps`, which is a part of the chip; None without one."""
    is_apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return f"{cpu_model()} (MPS)" if is_apple else None


def end_with_parent() -> None:
    """Do nothing: only Linux tells a process that its parent has ended."""


@contextmanager
def until_end(pid: int) -> Iterator[Callable[[float], bool]]:
    """Watch a process, which isn't reaped.

    Args:
        pid: its process id.

    Yields:
        A function that waits for its end for a number of seconds at most, and returns whether it
        has ended.
    """

    def wait(timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        while not _has_ended(pid):
            if time.monotonic() >= until:
                return False
            time.sleep(min(_POLL_S, timeout_s))
        return True

    yield wait


@contextmanager
def adopted_orphans() -> Iterator[bool]:
    """Do nothing: only Linux gives processes whose parent has ended another one.

    Yields:
        False.
    """
    yield False


def peak_memory_bytes(usage: resource.struct_rusage) -> int:
    """Return the largest resident memory that a process had."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)  # getrusage(2)


def _has_ended(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@cache
def _sysctl(name: str) -> str:
    """Return a text that the kernel holds under this name; empty if there is none."""
    try:
        call = ctypes.CDLL(None).sysctlbyname
    except AttributeError:  # the C library has no such function
        return ""
    text = ctypes.create_string_buffer(_LONGEST)
    size = ctypes.c_size_t(_LONGEST)
    if call(name.encode(), text, ctypes.byref(size), None, ctypes.c_size_t(0)) != 0:
        return ""
    return " ".join(text.value.decode(errors="replace").split())
