"""Clean up when a signal asks the process to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)  # Python itself raises an exception at SIGINT


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """Turn the first SIGTERM or SIGHUP into SystemExit; ignore later ones in the `with` block."""

    def leave(number: int, frame: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    handlers = {number: signal.signal(number, leave) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
