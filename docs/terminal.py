"""Draw docs/assets/terminal.svg: the terminal while a new project is built.

    python docs/terminal.py

It starts a real build of the project that `caduceus init` writes, in a pseudo-terminal, takes the
first picture that has a finished run, one that reports a metric, and the time left, and ends the
build.
"""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Generator
from contextlib import closing, suppress
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS, LINES = 100, 30
COMMAND = "snakemake --cores 2"
OUT = Path(__file__).parent / "assets/terminal.svg"
# Each picture follows codes that erase the one before it.
_ERASES = re.compile(r"(?:\r?\x1b\[2K(?:\x1b\[1A)?)+")
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_MOVES = re.compile(r"\x1b\[(?:\?25[hl]|[0-9]*[AK])|\r")


def frames(
    project: Path, columns: int, lines: int, command: list[str]
) -> Generator[str, None, None]:
    """Yield what a build writes between two erasures; it is interrupted when no more are taken."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "WANDB_MODE": "offline"}
    streams = {"stdin": end, "stdout": end, "stderr": end}
    build = subprocess.Popen(
        command, cwd=project, env=environment, start_new_session=True, **streams
    )
    os.close(end)
    text = ""
    try:
        with suppress(OSError):  # Linux ends a pseudo-terminal by an error
            while found := os.read(terminal, 65536):
                text += found.decode(errors="replace")
                *complete, text = _ERASES.split(text)
                yield from complete
    finally:
        with suppress(ProcessLookupError):
            os.killpg(build.pid, signal.SIGINT)
        with suppress(OSError):
            while os.read(terminal, 65536):
                pass
        build.wait()
        os.close(terminal)


def is_telling(frame: str) -> bool:
    """Whether a picture has a finished run, one that reports a metric, and the time left."""
    return " finished" in frame and " left" in frame and bool(re.search(r"step \d+, ", frame))


def draw(frame: str, out: Path) -> None:
    """Write a picture of the terminal, with the command above it, as SVG."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), highlight=False)
    console.print(f"$ {COMMAND}", markup=False)
    console.print(Text.from_ansi(_MOVES.sub("", frame).strip("\n")))
    console.print()  # the last line of an SVG is cut off at its lower edge
    picture = console.export_svg(title="a build")
    out.write_text(_FONTS.sub("", picture))  # readers load nothing from elsewhere


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "project"
        subprocess.run([sys.executable, "-m", "caduceus", "init", str(project)], check=True)
        words = [sys.executable, "-m", *COMMAND.split()]
        with closing(frames(project, COLUMNS, LINES, words)) as shown:
            for frame in shown:
                if is_telling(frame):
                    draw(frame, OUT)
                    return
    sys.exit("the build has ended without such a picture: give it more seeds")


if __name__ == "__main__":
    main()
