"""End by one line at Ctrl-C while the command line still imports modules.

Importing this module begins it, so it comes before all other imports of the command line, which
take as long as it takes to see a mistyped word. Nothing has begun until `end` is called.
"""

import os
import signal
import sys
from types import FrameType

_NAMES = ("caduceus", "caduceus-ml", "caduceus/__main__.py")


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, b"caduceus: interrupted; start the same command again\n")
    os._exit(128 + number)


def end() -> None:
    """Let Ctrl-C raise `KeyboardInterrupt` from now on, as usual."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_program() -> bool:
    """Whether this process is the command line, and not one that imports it, such as a test."""
    return f"/{sys.argv[0]}".endswith(tuple(f"/{name}" for name in _NAMES))


# A process in the background of a script ignores SIGINT.
if _is_program() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _leave)
