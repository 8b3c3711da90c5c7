"""Run a program in the foreground of this process's terminal."""

import signal
from collections.abc import Sequence

from caduceus.system import processes


def run_here(words: Sequence[str]) -> int:
    """Run a program, pass SIGTERM and SIGHUP on to it, and return its exit status.

    Ctrl-C reaches it from the terminal. The status of a program that a signal ended is 128 and the
    signal's number, as in a shell.
    """
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
