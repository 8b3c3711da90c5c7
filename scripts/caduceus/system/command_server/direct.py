"""Have the command server run the commands of rules without the processes between.

Snakemake starts a shell for each job, this a script, and this a client of the server: 20 ms of CPU,
more than Snakemake itself takes for a job. A thread of Snakemake asks the server just as well, if
the shell would do nothing but start the command.
"""

import contextlib
import importlib
import os
import re
import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from caduceus.system.command_server import client

# Snakemake puts options of the shell before a command, and two spaces between them.
_PREFIX = re.compile(r'set -euo pipefail; +"\$CADUCEUS_PYTHON" -m caduceus ')
# Words in which a shell finds nothing to replace, as `shlex.quote` leaves or writes them.
_PLAIN = re.compile(r"(?:[A-Za-z0-9_./=,:@%+ -]|'[^']*')*")
_EXPANDED = re.compile(r"[$`~\\]")  # may begin what a shell replaces in the value of BASH_ENV
_OUTPUT = 1  # the descriptor of standard output
_KILL, _TERMINATE = b"9", b"15"


class Command:
    """A command that the server runs, with the methods of a process that Snakemake calls.

    Attributes:
        pid: the process of the command.
    """

    def __init__(self, connection: Any, pid: int) -> None:
        self._connection = connection
        self._closing = threading.Lock()  # or another file might get the connection's number
        self.pid = pid

    def wait(self) -> int:
        """Wait for the end; returns the exit status, or the negative number of a signal."""
        # Nothing if the server was killed, and so the command.
        status = client.receive(self._connection)
        with self._closing:
            self._connection.close()
        return int(status) if status else -int(_KILL)

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        self._send(_KILL)

    def terminate(self) -> None:
        """Ask it to end, unless it has ended."""
        self._send(_TERMINATE)

    def _send(self, number: bytes) -> None:
        """Have the server, which alone knows whether the process is still there, send a signal."""
        with self._closing, contextlib.suppress(OSError):  # it has ended
            self._connection.send(number)


class Starter:
    """Starts shell commands as `subprocess.Popen` does, or the command that it stands for.

    Args:
        path: of the server's socket.
        script: what CADUCEUS_PYTHON names.
        commands: which the server runs.
        popen: starts any other shell command.
    """

    def __init__(
        self, path: str, script: str, commands: Sequence[str], popen: Callable[..., Any]
    ) -> None:
        self._path = path
        self._script = script
        self._commands = commands
        self._popen = popen

    def __call__(self, command: str, **options: Any) -> Any:
        """Start a shell command; `options` are those of `subprocess.Popen`."""
        return self._ask(command, options) or self._popen(command, **options)

    def _ask(self, command: str, options: dict[str, Any]) -> Command | None:
        """Ask the server to run a command; None if it needs a shell, or the server refuses."""
        words, environment, output = _words(command), options.get("env"), options.get("stdout")
        if not words or words[0] not in self._commands or not environment:
            return None
        if environment.get("CADUCEUS_PYTHON") != self._script or _is_sourced(environment):
            return None
        try:
            if output is not None and output.fileno() != _OUTPUT:
                return None
        except (AttributeError, ValueError, OSError):  # none of the system's
            return None
        variables = {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}
        words = [self._script, "-m", "caduceus", *words]
        if (mask := _umask()) is None:
            return None
        given = client.inherited(mask)
        connection = client.ask(self._path, words[1:], variables, given, is_direct=True)
        if connection is None:
            return None
        answer = b""
        # The command says its process before it begins. If the server is killed before that, the
        # connection ends with it and with the process.
        with contextlib.suppress(OSError):  # the server was killed
            connection.send(b"go")
            answer = connection.recv(16)  # "refused" if the server is out of processes
        if not answer.isdigit():
            connection.close()
            return None
        return Command(connection, int(answer))


def _words(command: str) -> list[str]:
    """Return the words of a command of Caduceus; none if the shell would do more than start it."""
    prefix = _PREFIX.match(command)
    plain = command[prefix.end() :] if prefix else ""
    return shlex.split(plain) if _PLAIN.fullmatch(plain) else []


def _is_sourced(environment: Mapping[str, str]) -> bool:
    """Whether bash might run a file before a command: what BASH_ENV names, which it expands."""
    name = environment.get("BASH_ENV", "")
    # Path.exists raises where a folder can't be read or the name is too long.
    return _EXPANDED.search(name) is not None or os.path.exists(name)  # noqa: PTH110


def _umask() -> int | None:
    """Return the mask of the modes of new files; None if the system doesn't say.

    `client.umask` has to set it to read it, while other threads may make files.
    """
    found = re.search(r"^Umask:\t(\d+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1], 8) if found else None


def start_directly(path: str, script: str, commands: Sequence[str]) -> None:
    """Have the Snakemake of this process start commands by the server at `path`.

    Args:
        path: of the server's socket.
        script: what CADUCEUS_PYTHON names.
        commands: which the server runs.
    """
    shell: Any = importlib.import_module("snakemake.shell")
    popen = shell.sp.Popen
    starter = Starter(path, script, commands, getattr(popen, "_popen", popen))
    shell.sp = SimpleNamespace(**(vars(shell.sp) | {"Popen": starter}))
