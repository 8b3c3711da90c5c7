"""What a scheduler starts as a job: runs a command, warns it of the time limit, notes how it ended.

It keeps the time itself, as few schedulers warn early enough to save a checkpoint. Signals with
which schedulers warn or cancel are passed on as SIGTERM, which training programs know; SIGUSR1 and
the like would kill the processes between.
"""

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import psutil

from caduceus.system.processes import start_here, wait_for
from caduceus.system.schedulers.job_files import VARIABLE, Ending, JobFiles

# Grid Engine's and LSF's warnings of a time limit; others may mean that the job is cancelled.
_OF_LIMIT = (signal.SIGUSR1, signal.SIGXCPU)
_OF_SCHEDULER = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)
_WARNINGS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
_POLL_S = 0.5


def work(files: JobFiles, words: Sequence[str], warn_after_s: float = 0) -> int:
    """Run a command to its end as a job, and return its exit status.

    Args:
        files: the job's files.
        words: the command.
        warn_after_s: when to warn it of the time limit; 0 for no limit that is known.
    """
    received: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        received.append(number)

    started = time.monotonic()
    for number in (*_OF_LIMIT, *_OF_SCHEDULER):
        signal.signal(number, note)
    files.begin()
    # Schedulers send warnings to all processes of a job, and would kill those that don't expect it.
    program = start_here(words, os.environ | {VARIABLE: str(files.base)}, _WARNINGS)
    was_warned = False
    while (code := wait_for(program, _POLL_S)) is None:
        is_late = bool(warn_after_s) and time.monotonic() - started > warn_after_s
        if not was_warned and (is_late or received):
            if is_late or received[0] in _OF_LIMIT:
                files.note_limit()
            else:
                files.write_end("interrupted")  # at once: SIGKILL may come before the program ends
            _terminate_session()
            was_warned = True
    # A program may end of the scheduler's own signal before the next look.
    files.write_end(_ending(code, files, was_warned or bool(received)))
    return code if code >= 0 else 128 - code


def _ending(code: int, files: JobFiles, was_warned: bool) -> Ending:
    if code == 0:
        return "finished"
    if files.has_checkpoint():
        return "limit"
    return "interrupted" if was_warned and not files.is_at_limit() else "failed"


def _terminate_session() -> None:
    """Send SIGTERM to the processes below this one that Snakemake started.

    Training programs have a session of their own, and get it from the process that started them.
    """
    session = os.getsid(0)
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(process.pid) == session:
                os.kill(process.pid, signal.SIGTERM)


def main() -> int:
    """Run the command line that the job's script has."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--warn-after", type=float, default=0)
    parser.add_argument("words", nargs="+")
    arguments = parser.parse_args()
    return work(JobFiles(arguments.files), arguments.words, arguments.warn_after)


if __name__ == "__main__":
    sys.exit(main())
