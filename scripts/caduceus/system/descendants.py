"""Find and end the processes that a program leaves behind, also those outside its process group.

They become children of a child subreaper (prctl(2)) above the program: of this process, or of the
guard of a program that was forked from a preloaded process.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import psutil

from caduceus.system.kernel import adopted_orphans, peak_memory_bytes

_POLL_S = 0.02
_KILL_WAIT_S = 10.0  # then give up: SIGKILL doesn't end a process that waits for a dead disk


class Descendants:
    """The processes that descend from a program; see `found_descendants`.

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
            self.peak_memory_bytes = max(self.peak_memory_bytes, peak_memory_bytes(usage))
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


class PolledDescendants(Descendants):
    """The processes that descend from a program: of its session, or once seen in its tree.

    It is for systems that don't hand orphans on. CPU time and memory are those of the last look.
    """

    def __init__(self) -> None:
        super().__init__()
        self._session: int | None = None
        self._seen: dict[psutil.Process, tuple[float, int]] = {}  # CPU seconds, bytes

    def reap(self, program: int) -> None:
        """Look at the processes of a program, which leads a session; their parents reap them."""
        self._session = program
        with contextlib.suppress(psutil.NoSuchProcess):
            leader = psutil.Process(program)
            self._look(leader.children(recursive=True))
            if not _is_running(leader):  # what it left behind has other parents now
                self._look(filter(self._is_of, psutil.process_iter()))

    def end(self, linger_s: float, grace_s: float) -> None:
        """End all descendants that were seen, after the program has ended."""
        super().end(linger_s, grace_s)
        self.cpu_s = sum(cpu_s for cpu_s, _ in self._seen.values())
        self.peak_memory_bytes = max((memory for _, memory in self._seen.values()), default=0)

    def _look(self, processes: Iterable[psutil.Process]) -> None:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                times, memory = process.cpu_times(), process.memory_info().rss
                peak = max(memory, self._seen.get(process, (0, 0))[1])
                self._seen[process] = (times.user + times.system, peak)

    def _left(self) -> list[psutil.Process]:
        self._look(filter(self._is_of, psutil.process_iter()))
        for process in [*self._seen]:
            with contextlib.suppress(psutil.NoSuchProcess):
                self._look([process, *process.children(recursive=True)])
        return list(filter(_is_running, self._seen))

    def _is_of(self, process: psutil.Process) -> bool:
        """Whether a process is in the program's session, and not the program itself."""
        if process.pid == self._session:
            return False
        with contextlib.suppress(OSError):
            return os.getsid(process.pid) == self._session
        return False


def _is_running(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


@contextmanager
def found_descendants() -> Iterator[Descendants]:
    """Find all that programs started inside leave behind, as far as the system allows it."""
    with adopted_orphans() as are_adopted:
        yield Descendants() if are_adopted else PolledDescendants()
