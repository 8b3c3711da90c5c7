"""A picture that stays at the bottom of the terminal while lines scroll by above it."""

import codecs
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from caduceus.io.phrases import printable

_REPLACE = "caduceus-terminal"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Screen:
    """Redraws a picture on standard error, and prints lines above it.

    Jobs inherit standard output and error, and what they write would land inside the picture. So
    both descriptors lead to a file while the picture is there, and its new lines are printed above
    the picture. A pipe would end processes that outlive Snakemake.

    Args:
        draw: returns the picture for a width and height, called by a thread of the screen.
        interval_s: seconds between two pictures.
    """

    def __init__(self, draw: Callable[[int, int], RenderableType], interval_s: float = 0.5):
        self._draw = draw
        self._interval_s = interval_s
        self._lock = threading.RLock()
        self._stop = threading.Event()
        sys.stdout.flush()
        sys.stderr.flush()
        self._saved = {number: os.dup(number) for number in (1, 2)}
        codecs.register_error(_REPLACE, _replaced)
        terminal = os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors=_REPLACE)
        self._console = Console(file=terminal, markup=False, highlight=False, emoji=False)
        self._written = tempfile.TemporaryFile()  # noqa: SIM115 # closed by `stop`
        self._read = 0
        self._rest = b""
        for number in self._saved:
            os.dup2(self._written.fileno(), number)
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        self._thread = threading.Thread(target=self._redraw, name="caduceus-screen", daemon=True)
        self._thread.start()

    def print(self, text: str, style: str = "") -> None:
        """Print lines above the picture, with control characters made visible."""
        with self._lock:
            self._print_written()
            self._print(text, style)

    def stop(self) -> None:
        """Remove the picture, and lead standard output and error to the terminal again."""
        self._stop.set()
        self._thread.join()
        with suppress(ValueError, OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        for number, saved in self._saved.items():
            os.dup2(saved, number)
            os.close(saved)
        self._print_written(is_last=True)
        self._live.stop()
        self._console.file.close()
        self._written.close()

    def _redraw(self) -> None:
        while True:
            with self._lock:
                size = _size(self._console.file.fileno())
                self._console.size = size
                self._print_written()
            picture = self._draw(*size)
            with self._lock:
                self._live.update(picture, refresh=True)
            if self._stop.wait(self._interval_s):
                return

    def _print_written(self, is_last: bool = False) -> None:
        """Print what jobs have written since the last time, whole lines only unless it is last."""
        while found := os.pread(self._written.fileno(), 1 << 20, self._read):
            self._read += len(found)
            lines, newline, self._rest = (self._rest + found).rpartition(b"\n")
            if newline:
                self._print(lines.decode(errors="replace"))
        if is_last and self._rest:
            self._print(self._rest.decode(errors="replace"))

    def _print(self, text: str, style: str = "") -> None:
        lines = _COLOURS.sub("", text).split("\n")
        # A progress bar goes back to the start of its line: only its last state is printed.
        shown = [printable(line.rstrip("\r").rpartition("\r")[2]) for line in lines]
        self._console.print(Text("\n".join(shown), style), soft_wrap=True)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Return a character for each that a terminal without UTF-8 lacks: "." for what was cut off."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join("." if each == "…" else "?" for each in characters), error.end


def _size(descriptor: int) -> tuple[int, int]:
    """Return the columns and lines of a terminal; a terminal may not know them."""
    with suppress(OSError):
        columns, lines = os.get_terminal_size(descriptor)
        if columns and lines:
            return columns, lines
    return 80, 24
