"""The uploaders of online runs, as forks of the commands that train these.

An import of what they need is most of what the uploader of a test's run does: a second of CPU. In
tests with the fixture `fresh_programs` each is a new interpreter, as users' are.
"""

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from caduceus.system import kernel, processes
from caduceus.system.stop_signals import STOP_SIGNALS
from command_forks import end_as
from program_forks import FRESH


@dataclass
class _Uploader:
    """A process that uploads a run while it is logged, as `end` has it of `subprocess.Popen`."""

    pid: int

    def wait(self, timeout: float = 3600.0) -> None:
        """Wait until it has ended.

        Raises:
            TimeoutExpired: it hasn't within `timeout` seconds.
        """
        with kernel.until_end(self.pid) as has_ended:
            if not has_ended(timeout):
                raise subprocess.TimeoutExpired("sync", timeout)
        os.waitpid(self.pid, 0)


def fork_uploaders() -> None:
    """Fork the uploaders that `caduceus train` starts in a fork of this process."""
    start_afresh = processes.start

    def start(words: Sequence[str], console: IO[bytes], *rest: Any, **others: Any) -> Any:
        is_uploader = list(words[:4]) == [sys.executable, "-m", "caduceus", "sync"]
        if not is_uploader or FRESH in os.environ:
            return start_afresh(words, console, *rest, **others)
        pid = os.fork()
        if pid == 0:
            _become_uploader(words[2:], console)
        return _Uploader(pid)

    processes.start = start


def _become_uploader(words: Sequence[str], console: IO[bytes]) -> None:
    os.setsid()
    kernel.end_with_parent()
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (1, 2):
        os.dup2(console.fileno(), number)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # locks among them, which end with the trainer
    sys.argv = list(words)
    end_as(lambda: runpy.run_module("caduceus", run_name="__main__", alter_sys=True))
