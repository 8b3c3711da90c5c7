"""Snakemake and Caduceus' commands, in forks of a process that has imported all of them.

Imports and digests of Caduceus' own code are four fifths of a dry run, 1.3 s of CPU of each build,
and 3 s of the commands that it starts: they are the same each time. Tests that start Snakemake in
the background, and those that watch what is read, start new interpreters.
"""

import atexit
import fcntl
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from command_forks import end_as, fork_commands, fork_snakemakes

_DEADLINE_S = 1200  # so that nothing hangs for ever
# Commands import these within functions, and Snakemake pandas, when it compares parameters. The SDK
# reads none of the variables that tests set while it is imported; see `program_forks`.
_LATE = (
    "caduceus.system.wandb_sdk",
    "pandas",
    "pyarrow.csv",
    "pyarrow.parquet",
    "scipy.special",
    "scipy.stats",
    "jsonschema",
)
# Commands that start Snakemake, and how often at most; later ones are new interpreters.
_MOST_SNAKEMAKES = {"sweep": 1, "try": 6}


class SnakemakeForks:
    """A process that waits for command lines.

    It is forked from one for all of pytest-xdist's workers, which has imported what is needed.
    """

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="snakemake-forks-")
        # Named by the run of the tests, and outside of what a worker removes when it ends.
        name = f"caduceus-tests-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
        self._path = Path(tempfile.gettempdir(), name)
        self._base: subprocess.Popen[bytes] | None = None
        with _locked():
            try:
                connection = self._connected()
            except OSError:
                connection = self._started()
        self._stream = connection.makefile("rw")
        connection.close()

    def run(
        self, module: str, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]
    ) -> tuple[int, str]:
        """`python -m MODULE ARGUMENTS` in a folder: its exit status, and what it printed.

        In place of a module this may be the path of a script.
        """
        output = Path(self.folder.name, "output")
        status = self._ask(module, arguments, folder, variables, output, output)
        return status, output.read_text()

    def capture(self, code: str, arguments: Sequence[str]) -> tuple[int, str, str]:
        """`python -c CODE ARGUMENTS` here and now: its exit status, its output and its errors."""
        output, errors = (Path(self.folder.name, name) for name in ("output", "errors"))
        status = self._ask("-c", [code, *arguments], Path.cwd(), os.environ, output, errors)
        return status, output.read_text(), errors.read_text()

    def _ask(
        self,
        module: str,
        arguments: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        output: Path,
        errors: Path,
    ) -> int:
        files = [str(output), str(errors)]
        for file in (output, errors):
            file.write_text("")
        request = [module, list(arguments), str(folder), dict(variables), files]
        print(json.dumps(request), file=self._stream, flush=True)
        return int(self._stream.readline())

    def end(self) -> None:
        self._stream.close()
        if self._base:
            assert self._base.stdin
            with _locked():
                self._base.stdin.close()
                self._base.wait()
                self._path.unlink(missing_ok=True)
        self.folder.cleanup()

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        return connection

    def _started(self) -> socket.socket:
        """Start the process that imports, and connect to it once it has."""
        self._path.unlink(missing_ok=True)
        self._base = subprocess.Popen(
            [sys.executable, __file__, str(self._path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._base.stdout
        with self._base.stdout as told:
            assert told.readline(), "it has ended"
        return self._connected()


@contextmanager
def _locked() -> Iterator[None]:
    """Hold the lock under which a worker starts, ends or looks for the process of all."""
    with Path(tempfile.gettempdir(), "caduceus-tests-forks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def snakemake_forks() -> SnakemakeForks:
    """The one of this process."""
    started = SnakemakeForks()
    atexit.register(started.end)
    return started


def main() -> None:
    """Fork a server for each connection, until the worker that started this process ends."""
    _import_all()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen()
        print("listening", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # servers outlive this process, or end alone
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                _serve(connection)
                os._exit(0)
            connection.close()


def _serve(connection: socket.socket) -> None:
    """Answer each line, which is a request, by an exit status."""
    from program_forks import fork_programs
    from uploader_forks import fork_uploaders

    fork_programs()
    fork_uploaders()
    stream = connection.makefile("rw")
    for line in stream:
        module, arguments, folder, variables, files = json.loads(line)
        child = os.fork()
        if child == 0:
            for number, file in enumerate(files, 1):
                os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), number)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.chdir(folder)
            sys.path[0] = folder
            os.environ.clear()
            os.environ.update(variables)
            code = arguments.pop(0) if module == "-c" else ""
            if module == "caduceus":
                fork_snakemakes(_MOST_SNAKEMAKES.get(arguments[0], 0), _run)
            fork_commands()
            sys.argv = [module, *arguments]
            end_as(functools.partial(_run, module, code))
        signal.signal(signal.SIGALRM, lambda *_, child=child: os.kill(child, signal.SIGKILL))
        signal.alarm(_DEADLINE_S)
        _, status = os.waitpid(child, 0)
        signal.alarm(0)
        print(os.waitstatus_to_exitcode(status), file=stream, flush=True)


def _run(module: str, code: str = "") -> None:
    if module == "-c":
        exec(code, {"__name__": "__main__"})
    elif module.endswith(".py"):
        runpy.run_path(module, run_name="__main__")
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def _import_all() -> None:
    """Import what Snakemake and the commands do; none of it starts a thread or keeps a variable."""
    from caduceus import commands
    from caduceus.paper.figures.kinds import MODULES
    from caduceus.project.command_digests import command_digests
    from snakemake.cli import get_argument_parser

    get_argument_parser()  # imports the plugins
    names = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    of_commands = [f"caduceus.commands.{name}" for name in names]
    of_figures = [f"caduceus.paper.figures.{name}" for name in MODULES.values()]
    for name in (*_LATE, *of_commands, *of_figures):
        importlib.import_module(name)
    command_digests(names)  # to have read them
    gc.collect()
    gc.freeze()  # a collection would copy the pages of all objects into each fork


if __name__ == "__main__":
    main()
