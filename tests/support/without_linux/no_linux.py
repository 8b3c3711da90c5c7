"""What only Linux has is missing, as on macOS, for Caduceus in this process.

A pytest plugin, with this folder on PYTHONPATH: `pytest -p no_linux`. With NO_LINUX=1, every Python
that starts is so. It stands in for another system, and is no such system: libraries are on Linux
all the same.
"""

import fcntl
import os
import signal
import socket
import sys
from typing import Any

import psutil  # for Linux, as all libraries here

_MISSING = (
    *((os, name) for name in ("pidfd_open", "sched_getaffinity", "sched_setaffinity", "waitid")),
    *((os, name) for name in ("posix_fadvise", "copy_file_range", "memfd_create", "splice")),
    *((fcntl, name) for name in ("F_OFD_SETLK", "F_OFD_GETLK", "F_OFD_SETLKW")),
    *((signal, name) for name in ("SIGRTMIN", "SIGRTMAX", "sigtimedwait", "sigwaitinfo")),
    (socket, "SOCK_SEQPACKET"),
)
_LIBRARIES = f"{os.sep}site-packages{os.sep}"


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse Caduceus files of /proc and /sys, and prctl."""
    if event == "open" and str(arguments[0]).startswith(("/proc/", "/sys/")):
        missing: type[Exception] = FileNotFoundError
    elif event == "ctypes.dlsym" and arguments[1] == "prctl":
        missing = AttributeError
    else:
        return
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(("<frozen", sys.base_prefix)):
        frame = frame.f_back  # such as pathlib
    if frame is not None and _LIBRARIES not in frame.f_code.co_filename:
        raise missing(f"{arguments}: only Linux has this")


def take_away() -> None:
    """Take away what is Linux's, and choose what other systems have."""
    for module, name in _MISSING:
        if hasattr(module, name):
            delattr(module, name)
    here = sys.platform
    sys.platform = "freebsd"  # which has nothing that Linux hasn't, unlike macOS its units
    try:
        import caduceus.system.kernel  # noqa: F401
    except ImportError:  # a program's Python without Caduceus
        pass
    finally:
        sys.platform = here
    sys.addaudithook(_refuse)


def pytest_configure(config: Any) -> None:
    """Do so before any test is read."""
    import hypothesis  # noqa: F401  # which loads other plugins, for Linux

    assert psutil.LINUX
    take_away()


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Skip what is promised for Linux only."""
    import pytest

    for item in items:
        if item.get_closest_marker("linux"):
            item.add_marker(pytest.mark.skip(reason="promised for Linux only"))
