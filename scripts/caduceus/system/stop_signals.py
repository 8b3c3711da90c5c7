"""Signals that ask this process to stop, and their deferral."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Schedulers announce the end of a job's time by SIGUSR1 or SIGUSR2.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class SignalRecorder:
    """A signal handler that records signals for later."""

    def __init__(self) -> None:
        self.received: list[int] = []

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Record a signal."""
        self.received.append(number)


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Defer signals that ask this process to stop until the end of the `with` block.

    A program that `processes.run` runs inside is still stopped by them at once.
    """
    recorder = SignalRecorder()
    handlers = {number: signal.signal(number, recorder) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if recorder.received:
            os.kill(os.getpid(), recorder.received[0])


def is_asked_to_stop() -> bool:
    """Whether a signal to stop this process is deferred by `signals_deferred`."""
    handler = signal.getsignal(signal.SIGTERM)
    return isinstance(handler, SignalRecorder) and bool(handler.received)


def stopped_by_signal() -> threading.Event:
    """Return an event that SIGTERM and Ctrl-C set, in place of ending this process."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopped.set())
    return stopped
