"""Clean up when a signal asks the process to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)  # Python itself raises an exception at SIGINT


class Stopped(KeyboardInterrupt):  # as that of Ctrl-C, it isn't an error
    """A signal asks this process to stop.

    Attributes:
        number: the signal.
        mend: what the user can do then; may be empty.
    """

    def __init__(self, number: int, mend: str = ""):
        super().__init__()
        self.number = number
        self.mend = mend

    @classmethod
    def of(cls, stop: KeyboardInterrupt, mend: str = "") -> "Stopped":
        """Return such an exception for Ctrl-C too.

        Args:
            stop: what was raised.
            mend: what the user can do, if the exception doesn't say it.
        """
        if isinstance(stop, Stopped):
            return cls(stop.number, stop.mend or mend)
        return cls(signal.SIGINT, mend)

    def __str__(self) -> str:
        name = signal.Signals(self.number).name
        what = "interrupted" if self.number == signal.SIGINT else f"stopped by {name}"
        return f"{what}; {self.mend}" if self.mend else what


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """Turn the first SIGTERM or SIGHUP into `Stopped`; ignore later ones in the `with` block.

    A signal that this process ignores, as SIGHUP under nohup, stays ignored.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    handlers = {number: signal.signal(number, leave) for number in heard}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
