"""Snakemake's command line, in forks of a process that has imported all of it.

Imports and digests of Caduceus' own code are four fifths of a dry run, and 1.3 s of CPU of each
run: they are the same each time.
"""

import atexit
import functools
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_DEADLINE_S = 1200  # so that nothing hangs for ever


class SnakemakeForks:
    """A process that waits for command lines."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="snakemake-forks-")
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]
    ) -> tuple[int, str]:
        """`python -m snakemake ARGUMENTS` in a folder: its exit status, and what it printed."""
        assert self.process.stdin and self.process.stdout
        output = Path(self.folder.name, "output")
        request = [list(arguments), str(folder), dict(variables), str(output)]
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline()), output.read_text()

    def end(self) -> None:
        self.process.communicate()
        self.folder.cleanup()


@functools.cache
def snakemake_forks() -> SnakemakeForks:
    """The one of this process."""
    started = SnakemakeForks()
    atexit.register(started.end)
    return started


def serve() -> None:
    """Answer each line of stdin, which is a request, by an exit status."""
    import pandas  # noqa: F401  Snakemake does so when it compares parameters
    from caduceus import commands
    from caduceus.project.command_digests import command_digests
    from snakemake.cli import get_argument_parser

    get_argument_parser()  # imports the plugins
    package = Path(commands.__path__[0])
    command_digests(path.stem for path in package.glob("[a-z]*.py"))  # to have read them
    for line in sys.stdin:
        arguments, folder, variables, output = json.loads(line)
        child = os.fork()
        if child == 0:
            stream = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(stream, 1)
            os.dup2(stream, 2)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.chdir(folder)
            sys.path[0] = folder
            os.environ.clear()
            os.environ.update(variables)
            sys.argv = ["snakemake", *arguments]
            runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
            return
        signal.signal(signal.SIGALRM, lambda *_, child=child: os.kill(child, signal.SIGKILL))
        signal.alarm(_DEADLINE_S)
        _, status = os.waitpid(child, 0)
        signal.alarm(0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
