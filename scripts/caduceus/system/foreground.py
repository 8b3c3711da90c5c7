"""Run a program in the foreground of this process's terminal."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from caduceus.system import processes


def run_here(words: Sequence[str], prints_to_error: bool = False) -> int:
    """Run a program, pass SIGTERM and SIGHUP on to it, and return its exit status.

    Ctrl-C reaches it from the terminal. The status of a program that a signal ended is 128 and the
    signal's number, as in a shell.

    Args:
        words: its command line.
        prints_to_error: whether what it prints goes to standard error.
    """
    with standard_output_as_error() if prints_to_error else nullcontext():
        process = processes.start_here(words)
    before = {signal.SIGINT: signal.signal(signal.SIGINT, lambda number, frame: None)}
    for passed_on in (signal.SIGTERM, signal.SIGHUP):
        before[passed_on] = signal.signal(
            passed_on, lambda number, frame: process.send_signal(number)
        )
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status


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
