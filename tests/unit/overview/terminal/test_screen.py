"""The screen of a build, in a pseudo-terminal of its own."""

import os
import pty
import subprocess
import sys

SHOWS = """
from caduceus.overview.terminal.screen import Screen
from rich.text import Text
screen = Screen(lambda width, height: Text("größe step…", no_wrap=True), 60)
screen.print("grün")
screen.stop()
"""


def shown(encoding: str) -> str:
    """What a screen writes on a terminal of that encoding."""
    terminal, end = pty.openpty()
    environment = os.environ | {"PYTHONIOENCODING": encoding, "TERM": "xterm-256color"}
    streams = {"stdin": end, "stdout": end, "stderr": end}
    subprocess.run([sys.executable, "-c", SHOWS], env=environment, check=True, **streams)
    os.close(end)
    found = os.read(terminal, 65536)
    os.close(terminal)
    return found.decode(encoding)


def test_characters_that_the_terminal_lacks_take_one_column_each() -> None:
    assert "größe step…" in shown("utf-8")
    text = shown("ascii")
    assert "gr??e step." in text
    assert "gr?n" in text
