"""A program that was started, as a child of this process or in another way."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from caduceus.system.descendants import Descendants, found_descendants
from caduceus.system.kernel import peak_memory_bytes


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes:
        status: its status, as `wait` gives it.
        cpu_s: its CPU time, and that of its children for which it waited, in seconds.
        peak_memory_bytes: the largest resident memory of any of these processes.
    """

    status: int
    cpu_s: float
    peak_memory_bytes: int


class StartedProgram(Protocol):
    """A program that leads a process group of its own."""

    @property
    def pid(self) -> int:
        """Its process id, which no other process gets until `wait`."""

    def watched(self) -> AbstractContextManager[Descendants]:
        """Find what descends from it while the `with` block runs."""

    def wait(self) -> Ended:
        """Wait until it has ended."""


class _Child(Protocol):
    """A `subprocess.Popen`."""

    pid: int
    returncode: int


class ChildProgram:
    """A program that is a child of this process.

    Args:
        start: starts it; called once its descendants can be found.
    """

    def __init__(self, start: Callable[[], _Child]) -> None:
        self._start = start
        self._process: _Child | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None, "watched() starts it"
        return self._process.pid

    @contextmanager
    def watched(self) -> Iterator[Descendants]:
        """Start it, and find what descends from it while the `with` block runs."""
        with found_descendants() as descendants:
            self._process = self._start()
            yield descendants

    def wait(self) -> Ended:
        """Wait until it has ended."""
        assert self._process is not None, "watched() starts it"
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return Ended(status, usage.ru_utime + usage.ru_stime, peak_memory_bytes(usage))
