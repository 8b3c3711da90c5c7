"""Record docs/assets/session.svg, session_still.svg and session.txt: a first session with Caduceus.

    python docs/recording.py

It types the commands below into a real shell on a pseudo-terminal, in a new folder with a user's
program, and waits for each to end. Each output is checked against what the recording tells; if one
differs, nothing is written. Waiting is shortened; nothing else is changed.
"""

import fcntl
import os
import platform
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from screen import READY, Frame, Screen, Terminal, animated, still

COLUMNS, LINES = 80, 30
ASSETS = Path(__file__).parent / "assets"
TRAIN = """\
import argparse
import time

import numpy as np
import wandb

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

random = np.random.default_rng(options.seed)
x = random.uniform(-1.5, 1.5, size=(2, 200))
y = np.sin(2 * x) + 0.1 * random.normal(size=x.shape)
powers = np.stack([x**power for power in range(4)])
weights = np.zeros(4)
with wandb.init(project="waves", config=vars(options)) as run:
    for epoch in range(40):
        error = np.tensordot(weights, powers, 1) - y
        weights -= options.lr * (powers[:, 0] * error[0]).mean(axis=1)
        run.log({"epoch": epoch, "val/loss": (error[1] ** 2).mean()})
        time.sleep(0.05)  # in place of a longer training
"""


@dataclass(frozen=True)
class Step:
    """A command that is typed, and what must happen then.

    Args:
        typed: the command.
        shows: patterns that its output has, one after the other. No recording is written otherwise.
        interrupt_at: the pattern on the screen at which Ctrl-C is pressed; empty for none.
    """

    typed: str
    shows: tuple[str, ...] = ()
    interrupt_at: str = ""


STEPS = (
    Step("caduceus --version", (r"\d+\.\d+",)),
    Step("# study/train.py logs to W&B, and knows nothing of Caduceus:"),
    Step("tail -n 12 study/train.py", ("wandb.init", "run.log")),
    Step("caduceus init --program study/train.py study", ("variants: lr 0.1 and 0.03", "seeds: 6")),
    Step("cd study"),
    Step("sed -n '/^matrix/,$p' experiments/first.yaml", (r"lr: \[0.1, 0.03\]", "seeds: .*5")),
    Step("# Train, and make the table and the verdict:"),
    Step(
        "caduceus build --cores 2",
        ("step \\d+", "runs: 12 finished", r"\| 0.03 +\|", "1 claim: 1 supported"),
    ),
    Step("# A third learning rate. Only its six runs are new:"),
    Step("sed -i 's/0.03]/0.03, 0.01]/' experiments/first.yaml"),
    Step("caduceus plan --cores 2", ("6 runs to train", "lr=0.01")),
    Step("caduceus build --cores 2", ("runs: 6 finished", r"\| 0.01 +\|", "1 supported")),
    Step("# Where does a number come from?"),
    Step("caduceus why tables/results", ("0.1 .* of 6 runs", "0.01 .* of 6 runs")),
    Step("# A fourth one, and Ctrl-C while it trains:"),
    Step("sed -i 's/0.01]/0.01, 0.3]/' experiments/first.yaml"),
    Step(
        "caduceus build --cores 2", (r"\^C", "interrupted; next: "), r"[1-5] finished, \d running"
    ),
    Step("caduceus status", (r"first: 24 runs, .*\d finished.* \d interrupted",)),
    Step("# The same command goes on:"),
    Step("caduceus build --cores 2", ("runs: [1-6] finished", r"\| 0.3 +\|", "1 supported")),
    Step("caduceus status", ("first: 24 runs, 24 finished",)),
)
_WORD_S, _FRAME_S = 0.15, 0.5  # a word that is typed, and a picture of a build, are shown so long
_STEP_S, _MOST_FRAMES = 0.3, 24  # of a command: real time between pictures, and how many at most
_READ_S, _LINE_S, _MOST_S = 1.5, 0.25, 8.0  # after a command: at least, for each new line, at most
_PROMPT = r"PS1='\[\e]777;ready\a\]\[\e[32m\]$\[\e[0m\] '"
_CODES = re.compile(r"\x1b\[[?\d;]*[A-Za-z]|\x1b\][^\x07]*\x07")
_LONGEST_S, _LARGEST_B = 300, 500_000  # of the recording
TITLE = "A first session with Caduceus"
TEXT = (
    "A terminal. A program logs to W&B. caduceus init writes an experiment around it: two learning "
    "rates with six seeds. caduceus build trains the twelve runs, with a picture of them, and ends "
    "with a table and a supported claim. A third learning rate is added: caduceus plan lists its "
    "six runs alone, and the build trains these. caduceus why lists the runs behind each number. A "
    "fourth one is added; Ctrl-C stops its build in the middle, caduceus status counts what has "
    "finished, and the next build trains the rest alone. session.txt has the text."
)
STILL_TEXT = (
    "A terminal after caduceus build: a table of two learning rates with their intervals, and a "
    "supported claim."
)


class Shell:
    """A shell on a pseudo-terminal."""

    def __init__(self, folder: Path):
        self.screen = Terminal(COLUMNS, LINES)
        self.shown: list[tuple[float, Screen]] = []  # when, and what
        self._master, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        tools = Path(sys.executable).parent
        environment = {
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PATH": f"{tools}:/usr/bin:/bin",
            "TERM": "xterm-256color",
        }
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "--noediting"],
            cwd=folder,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            **{"stdin": end, "stdout": end, "stderr": end},
        )
        os.close(end)
        self._decoder = getincrementaldecoder("utf-8")()
        self._write(f"{_PROMPT}; clear\n")
        self.read_until(READY)
        self.shown.clear()

    def type(self, command: str) -> None:
        """Type a command word by word, and a comment at once."""
        for word in [command] if command.startswith("#") else re.findall(r"\S+ *", command):
            self._write(word)
            self.read_until(word)
        self._write("\n")

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._write("\x03")

    def read_until(self, text: str) -> str:
        """Show output until a text comes, and return the output."""
        return self._read(lambda output: text in output)

    def read_until_shown(self, pattern: str) -> str:
        """Show output until it has a pattern or the command has ended, and return it."""
        return self._read(lambda output: READY in output or found(pattern, output))

    def _read(self, is_enough: Callable[[str], object]) -> str:
        all_output = ""
        while not is_enough(all_output):
            output = self._decoder.decode(os.read(self._master, 65536))
            all_output += output
            self.screen.feed(output)
            self.shown.append((time.monotonic(), self.screen.screen()))
        return all_output

    def end(self) -> None:
        """End the shell."""
        self._write("exit\n")
        while select.select([self._master], [], [], 10)[0]:
            try:
                os.read(self._master, 65536)
            except OSError:  # Linux ends a pseudo-terminal by an error
                break
        self._process.wait()
        os.close(self._master)

    def _write(self, text: str) -> None:
        os.write(self._master, text.encode())


def found(pattern: str, output: str) -> bool:
    """Whether output has a pattern, where it is on a screen without its colours."""
    return bool(re.search(pattern, _CODES.sub("", output)))


def check(step: Step, output: str) -> None:
    """End without a recording if a command's output isn't what the recording tells."""
    rest = _CODES.sub("", output)
    for pattern in step.shows:
        match = re.search(pattern, rest)
        if match is None:
            print(rest[-2000:])
            sys.exit(f"{step.typed}: no {pattern!r} in this output, so nothing is written")
        rest = rest[match.end() :]


def check_private(text: str, private: Sequence[str]) -> None:
    """End without a recording if it names this machine, its user, a path or an address."""
    for word in (*private, "://", "/home/", "/tmp/", "/root"):
        if word and word in text:
            sys.exit(f"the recording has {word!r}, which is of this machine; nothing is written")


def record(folder: Path) -> tuple[list[Frame], str]:
    """Type the commands in a folder, check each, and return the frames and all lines."""
    shell = Shell(folder)
    frames: list[Frame] = []
    for step in STEPS:
        shell.type(step.typed)
        frames += [Frame(screen, _WORD_S) for _, screen in shell.shown]
        before = len(shell.screen.text().splitlines())
        shell.shown.clear()
        output = shell.read_until_shown(step.interrupt_at) if step.interrupt_at else ""
        if step.interrupt_at and READY not in output:
            shell.interrupt()
        if READY not in output:
            output += shell.read_until(READY)
        check(step, output)
        lines = len(shell.screen.text().splitlines()) - before
        frames += thinned(shell.shown)
        shell.shown.clear()
        is_comment = step.typed.startswith("#")
        pause = _READ_S if is_comment else min(_MOST_S, _READ_S + _LINE_S * lines)
        frames[-1] = Frame(frames[-1].screen, pause)
        print(f"{step.typed}: {lines} more lines", flush=True)
    text = shell.screen.text()
    shell.end()
    return list(joined(frames)), text


def thinned(shown: list[tuple[float, Screen]]) -> Iterator[Frame]:
    """Yield so many of the pictures at most, evenly over the time, and the last one."""
    step = max(_STEP_S, (shown[-1][0] - shown[0][0]) / _MOST_FRAMES)
    last = shown[0][0] - step
    for number, (when, screen) in enumerate(shown):
        if when - last >= step or number == len(shown) - 1:
            yield Frame(screen, _FRAME_S)
            last = when


def joined(frames: list[Frame]) -> Iterator[Frame]:
    """Yield the frames, with equal ones that follow each other as one."""
    current = frames[0]
    for frame in frames[1:]:
        if frame.screen == current.screen:
            current = Frame(current.screen, current.seconds + frame.seconds)
        else:
            yield current
            current = frame
    yield Frame(current.screen, current.seconds + _MOST_S)


def main() -> None:
    # A shell's background jobs ignore Ctrl-C, and so would all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "study"
        folder.mkdir()
        (folder / "train.py").write_text(TRAIN)
        frames, text = record(folder.parent)
    private = (name, platform.node(), str(Path.home()), str(ASSETS.parents[1]))
    write(frames, text, private)


def write(frames: Sequence[Frame], text: str, private: Sequence[str]) -> None:
    """Write the three files, if they are short and have nothing private."""
    shown = ("".join(character for character, _ in row) for each in frames for row in each.screen)
    check_private("\n".join([*shown, text]), private)
    picture = animated(frames, COLUMNS, TITLE, TEXT)
    seconds = sum(frame.seconds for frame in frames)
    print(f"{len(frames)} frames, {seconds:.0f} s, {len(picture.encode()) / 1000:.0f} kB")
    if seconds > _LONGEST_S or len(picture.encode()) > _LARGEST_B:
        sys.exit("the recording is too long or too large; nothing is written")
    (ASSETS / "session.svg").write_text(picture)
    (ASSETS / "session_still.svg").write_text(still(telling(frames), COLUMNS, TITLE, STILL_TEXT))
    (ASSETS / "session.txt").write_text(text)


def telling(frames: Sequence[Frame]) -> Frame:
    """Return the first frame that has a build's table and verdict."""
    for frame in frames:
        text = "".join(character for row in frame.screen for character, _ in row)
        if "1 supported" in text and "| 0.03" in text:
            return frame
    return frames[-1]


if __name__ == "__main__":
    main()
