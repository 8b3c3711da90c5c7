"""Requests to stop, as a training program hears them."""

import os
import signal
import threading
from types import FrameType

_HEARD = (signal.SIGTERM, signal.SIGUSR1)


class StopRequest:
    """Whether the program was asked to stop: `number` is the signal that said so, 0 without one.

    A program that saves checkpoints looks at it, and stops when it has saved one. Any other ends at
    once, by an exception, so that what it has logged is complete.
    """

    def __init__(self) -> None:
        self.number = 0
        self.is_awaited = False  # set by a program that will look at `number`
        self._pid = os.getpid()
        if threading.current_thread() is threading.main_thread():
            for number in _HEARD:
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a process that was forked, such as a loader of data
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif self.is_awaited:
            self.number = number
        else:
            raise SystemExit(128 + number)
