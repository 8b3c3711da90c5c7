"""The terminal output of a build, in a pseudo-terminal."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from codecs import getincrementaldecoder
from contextlib import suppress
from pathlib import Path

from projects import ONE_RUN, Project

WAITS = """\
import time
while not Path(os.environ["CADUCEUS_PROJECT_DIR"], "go").exists():
    time.sleep(0.1)
run.finish()
"""
OWN_RULE = r"""
rule own:
    output: "own.txt"
    shell: "printf '[red]\\033[2Jown\\n'; exit 3"
"""


class Terminal:
    """A command on a terminal of 80 columns and 24 lines."""

    def __init__(self, project: Project, *words: str):
        self._terminal, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = project.environment(TERM="xterm-256color")
        streams = {"stdin": end, "stdout": end, "stderr": end}
        self.process = subprocess.Popen(
            words, cwd=project.path, env=environment, start_new_session=True, **streams
        )
        os.close(end)
        self._decoder = getincrementaldecoder("utf-8")()  # a read may end within a character
        self.output = ""

    def read_until(self, text: str) -> None:
        while text not in self.output:
            self.output += self._decoder.decode(os.read(self._terminal, 65536))

    def interrupt(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        with suppress(OSError):  # Linux ends a pseudo-terminal by an error
            while found := os.read(self._terminal, 65536):
                self.output += self._decoder.decode(found)
        os.close(self._terminal)
        return self.process.wait()


def test_a_build_is_a_picture_until_it_is_interrupted_and_lines_by_plain(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    project.change("experiments/toy.yaml", **ONE_RUN)
    project.replace("experiments/train.py", "run.finish()\n", WAITS)
    project.write("rules/own.smk", OWN_RULE)
    project.change("config.yaml", custom_rules=["rules/own.smk"])

    build = Terminal(project, *project.command("--cores", "2"))
    build.read_until("val/accuracy 0.")  # the metric of the running run
    build.interrupt()
    assert build.end() == 1
    assert "1 run: " in build.output
    assert "interrupted; next: the same command goes on" in build.output
    shown, _, rest = build.output.rpartition("\x1b[?25h")
    assert "\x1b[?25l" in shown and "\x1b[?25l" not in rest, "the cursor is shown again"
    assert "RuleException" not in build.output and "Job stats" not in build.output

    project.write("go", "")
    words = [sys.executable, "-m", "caduceus", "build", "--plain", *project.command()[3:]]
    plain = Terminal(project, *words, "--cores", "2")
    assert plain.end() == 0, plain.output
    assert "\x1b" not in plain.output
    assert "toy rate=0.1 seed 0: " in plain.output
    assert "report: results/report/index.html\r\nnext: `snakemake --cores 1 sync`" in plain.output

    failed = Terminal(project, *project.command("--cores", "2", "own"))
    assert failed.end() == 1
    assert "[red]\\x1b[2Jown" in failed.output, "a job's control characters are shown, not obeyed"
    assert "\x1b[2J" not in failed.output
    assert "failed: own: see the lines above" in failed.output
    assert "CalledProcessError" not in failed.output
