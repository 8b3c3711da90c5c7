"""What a program leaves behind: processes that outlive it, also those that left its group."""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

_PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 36, 37  # <linux/prctl.h>
_LOOKS_S = 0.02
_GIVES_UP_S = 10.0  # on a process that not even SIGKILL ends, since it waits for a dead disk


class Orphans:
    """The processes that descend from a program, once it isn't their parent any more.

    Inside `adopted`, a process whose parent has ended becomes a child of ours, whatever group or
    session it has moved to. So all that a program has started can be found, ended and reaped.

    `cpu_s` and `peak_memory_bytes` are what those used that were reaped here.
    """

    def __init__(self) -> None:
        self._ours = set(psutil.Process().children())
        self.cpu_s = 0.0
        self.peak_memory_bytes = 0

    def reap(self, program: int) -> None:
        """Reap those that have ended, so that a program of many days leaves no heap of them.

        Args:
            program: the process that isn't reaped here, nor anything that was there before it.
        """
        kept = {program, *(child.pid for child in self._ours)}
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if ended.si_pid in kept:  # it would be found for ever: the others wait for `end`
                    return
                self._reap(ended.si_pid)

    def end(self, linger_s: float, grace_s: float) -> None:
        """See to it that nothing is left, once the program has ended.

        Args:
            linger_s: for those that end by themselves, as W&B's service does when it has written
                the log.
            grace_s: between asking the others to end by SIGTERM and ending them by SIGKILL.
        """
        asked: set[psutil.Process] = set()
        for number, wait_s in (
            (None, linger_s),
            (signal.SIGTERM, grace_s),
            (signal.SIGKILL, _GIVES_UP_S),
        ):
            until = time.monotonic() + wait_s
            while left := self._left():
                for process in left:
                    if number is not None and (process not in asked or number == signal.SIGKILL):
                        asked.add(process)
                        with contextlib.suppress(psutil.Error):
                            process.send_signal(number)
                if time.monotonic() > until:
                    break
                time.sleep(_LOOKS_S)
            if not left:
                return

    def _left(self) -> list[psutil.Process]:
        """The processes that still run; those that have ended are reaped."""
        left = []
        for child in psutil.Process().children():
            if child in self._ours or self._reap(child.pid):
                continue
            with contextlib.suppress(psutil.NoSuchProcess):
                left += [*child.children(recursive=True), child]
        return left

    def _reap(self, pid: int) -> bool:
        try:
            reaped, _, usage = os.wait4(pid, os.WNOHANG)
        except ChildProcessError:
            return True
        if reaped:
            self.cpu_s += usage.ru_utime + usage.ru_stime
            self.peak_memory_bytes = max(self.peak_memory_bytes, usage.ru_maxrss * 1024)
        return bool(reaped)


@contextmanager
def adopted() -> Iterator[Orphans]:
    """Adopt what the programs started inside leave behind."""
    prctl = ctypes.CDLL(None).prctl
    before = ctypes.c_int()
    prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before))
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield Orphans()
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, before.value)
