"""Daemons of schedulers that tests start without systemd, and find again by their pid files."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path


def wait_until(condition: Callable[[], object], what: str, seconds: float = 1200) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.3)  # most conditions start a program of the scheduler


def pid_of(root: Path, program: str) -> int | None:
    """The process of a cluster's daemon, or None if it doesn't run."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((root / f"{program}.pid").read_text())
        if Path(f"/proc/{pid}/comm").read_text().strip() == program:
            return pid
    return None


def end_daemon(root: Path, program: str) -> None:
    pid = pid_of(root, program)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    try:
        wait_until(lambda: pid_of(root, program) is None, f"{program} has ended", 30)
    except AssertionError:
        os.kill(pid, signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
