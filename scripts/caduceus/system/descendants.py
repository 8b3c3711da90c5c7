"""Find and end the processes that a program leaves behind, also those outside its process group.

They become children of a child subreaper (prctl(2)) above the program: of this process, or of the
guard of a program that was forked from a preloaded process.
"""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

_PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 36, 37  # <linux/prctl.h>
_POLL_S = 0.02
_KILL_WAIT_S = 10.0  # then give up: SIGKILL doesn't end a process that waits for a dead disk


class Descendants:
    """The processes that descend from a program; found with the help of `subreaper`.

    This process is a child subreaper (prctl(2)): a descendant whose parent has ended becomes a
    child of this process, whatever process group or session it has moved to. So all processes that
    a program has started can be found, ended and reaped.

    Attributes:
        cpu_s: the CPU time of the processes that were reaped here, in seconds.
        peak_memory_bytes: the largest resident memory of any of them.
    """

    def __init__(self) -> None:
        self._ours = set(psutil.Process().children())
        self.cpu_s = 0.0
        self.peak_memory_bytes = 0

    def reap(self, program: int) -> None:
        """Reap descendants that have ended, so that zombies don't accumulate over days.

        Args:
            program: the process id of the program, which isn't reaped here, and neither are
                children of this process that were there before.
        """
        excluded = {program, *(child.pid for child in self._ours)}
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                # `waitid` would return this one for ever; the others are reaped by `end`.
                if ended.si_pid in excluded:
                    return
                self._reap(ended.si_pid)

    def end(self, linger_s: float, grace_s: float) -> None:
        """End all descendants, after the program has ended.

        Args:
            linger_s: the time for them to end by themselves, in seconds: W&B's service does so once
                it has written the log.
            grace_s: the time between SIGTERM and SIGKILL, in seconds.
        """
        terminated: set[psutil.Process] = set()
        for number, wait_s in (
            (None, linger_s),
            (signal.SIGTERM, grace_s),
            (signal.SIGKILL, _KILL_WAIT_S),
        ):
            until = time.monotonic() + wait_s
            while left := self._left():
                for process in left:
                    if number is not None and (
                        process not in terminated or number == signal.SIGKILL
                    ):
                        terminated.add(process)
                        with contextlib.suppress(psutil.Error):
                            process.send_signal(number)
                if time.monotonic() > until:
                    break
                time.sleep(_POLL_S)
            if not left:
                return

    def _left(self) -> list[psutil.Process]:
        """Return the descendants that still run, and reap those that have ended."""
        left = []
        for child in psutil.Process().children():
            if child in self._ours or self._reap(child.pid):
                continue
            with contextlib.suppress(psutil.NoSuchProcess):
                left += [*child.children(recursive=True), child]
        return left

    def _reap(self, pid: int) -> bool:
        """Reap a child if it has ended, and return whether it is gone."""
        try:
            reaped, _, usage = os.wait4(pid, os.WNOHANG)
        except ChildProcessError:
            return True
        if reaped:
            self.cpu_s += usage.ru_utime + usage.ru_stime
            self.peak_memory_bytes = max(self.peak_memory_bytes, usage.ru_maxrss * 1024)
        return bool(reaped)


class GuardedDescendants(Descendants):
    """The processes that descend from a forked program; its guard reaps them.

    Args:
        guard: the process id of the guard.
        used: returns CPU seconds and peak memory in bytes of those that have ended.
    """

    def __init__(self, guard: int, used: Callable[[], tuple[float, int]]) -> None:
        super().__init__()
        self._guard, self._used = guard, used

    def reap(self, program: int) -> None:
        """Do nothing: the guard does it."""

    def end(self, linger_s: float, grace_s: float) -> None:
        """End all descendants, after the program has ended: see `Descendants.end`."""
        super().end(linger_s, grace_s)
        self.cpu_s, self.peak_memory_bytes = self._used()

    def _left(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return list(filter(_is_running, psutil.Process(self._guard).children(recursive=True)))
        return []


def _is_running(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


@contextmanager
def subreaper() -> Iterator[Descendants]:
    """Make this process the parent of all that programs started inside leave behind."""
    prctl = ctypes.CDLL(None).prctl
    before = ctypes.c_int()
    prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before))
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield Descendants()
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, before.value)
