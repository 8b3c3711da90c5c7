"""Run a program in the foreground of this process's terminal."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import psutil

from caduceus.system import kernel, processes
from caduceus.system.clean_exit import Stopped
from caduceus.system.stop_signals import SignalRecorder

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_S = 0.5
_JOBS_S = 60.0  # for jobs that outlive their Snakemake: training has 25 s to save a checkpoint


def run_here(words: Sequence[str], prints_to_error: bool = False) -> int:
    """Run a program, and return its exit status.

    Ctrl-C reaches it and its children from the terminal. A signal that reaches this process alone
    does to them what Ctrl-C would: Snakemake waits for its jobs at SIGTERM, and ends them at
    SIGINT. The status of a program that a signal ended is 128 and the signal's number, as in a
    shell.

    Args:
        words: its command line.
        prints_to_error: whether what it prints goes to standard error.

    Raises:
        Stopped: a signal asked this process to stop; the program and its children have ended.
    """
    stop = SignalRecorder()
    heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    handlers = {number: signal.signal(number, stop) for number in heard}
    # A process in the background of a script ignores SIGINT, and so does what it starts.
    number = signal.SIGINT if signal.SIGINT in heard else signal.SIGTERM
    try:
        with standard_output_as_error() if prints_to_error else nullcontext():
            process = processes.start_here(words)
        jobs = _await_end(process.pid, stop, number)
        status = process.wait()
        psutil.wait_procs(jobs, timeout=_JOBS_S)
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
    if stop.received:
        raise Stopped(stop.received[0])
    return status if status >= 0 else 128 - status


def _await_end(pid: int, stop: SignalRecorder, number: int) -> list[psutil.Process]:
    """Wait for a process, and end it and its children by a signal once this process is to stop.

    Returns:
        The process and its children, if this process is to stop.
    """
    jobs: list[psutil.Process] = []
    with kernel.until_end(pid) as has_ended:
        while not has_ended(_POLL_S):
            if stop.received and not jobs:
                jobs = _members(pid)
                if stop.received[0] != signal.SIGINT or not _is_in_foreground():
                    _send(jobs, number)
    return jobs


def _members(pid: int) -> list[psutil.Process]:
    """Return a process and its descendants in this process's group, parents first."""
    found = []
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(ProcessLookupError):
                if os.getpgid(each.pid) == os.getpgrp():
                    found.append(each)
    return found


def _send(members: Sequence[psutil.Process], number: int) -> None:
    for each in members:
        with contextlib.suppress(psutil.Error):
            each.send_signal(number)


def _is_in_foreground() -> bool:
    """Whether Ctrl-C in a terminal reaches this process's group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:  # there is none
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


@contextmanager
def standard_output_as_error() -> Iterator[None]:
    """Send what this process and its children print on standard output to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
