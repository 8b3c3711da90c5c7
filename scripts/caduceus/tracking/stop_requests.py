"""Requests to stop: the signals that a training program receives."""

import os
import signal
import threading
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class StopRequest:
    """The request to stop that the program has received, if any.

    A program that saves checkpoints reads `number`, and stops once it has saved one. Any other
    program is ended at once by an exception, so that its log gets an end.

    Attributes:
        number: the signal; 0 without a request.
        is_awaited: whether the program will read `number`.
    """

    def __init__(self) -> None:
        self.number = 0
        self.is_awaited = False
        self._pid = os.getpid()
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a forked process, such as a data loader
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif self.is_awaited:
            self.number = number
        else:
            raise SystemExit(128 + number)
