"""Have the command server run the commands of rules without the processes between.

Snakemake starts a shell for each job, this a script, and this a client of the server: 20 ms of CPU,
more than Snakemake itself takes for a job. A thread of Snakemake asks the server just as well, if
the shell would do nothing but start the command.
"""

import importlib
import os
import re
import shlex
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from caduceus.system.command_server import client

_PREFIX = 'set -euo pipefail; "$CADUCEUS_PYTHON" -m caduceus '  # the shell's options by Snakemake
# Words in which a shell finds nothing to replace, as `shlex.quote` leaves or writes them.
_PLAIN = re.compile(r"(?:[A-Za-z0-9_./=,:@%+ -]|'[^']*')*")
_OUTPUT = 1  # the descriptor of standard output
_KILL, _TERMINATE = b"9", b"15"


class Command:
    """A command that the server runs, with the methods of a process that Snakemake calls.

    Attributes:
        pid: the process of the command.
    """

    def __init__(self, connection: Any, pid: int) -> None:
        self._connection = connection
        self.pid = pid

    def wait(self) -> int:
        """Wait for the end; returns the exit status, or the negative number of a signal."""
        status = self._connection.recv(16)  # nothing if the server was killed, and so the command
        self._connection.close()
        return int(status) if status else -int(_KILL)

    def kill(self) -> None:
        """Kill it."""
        self._connection.send(_KILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self._connection.send(_TERMINATE)


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
        self._mask = client.umask()  # now: threads would make files while it is set

    def __call__(self, command: str, **options: Any) -> Any:
        """Start a shell command; `options` are those of `subprocess.Popen`."""
        return self._ask(command, options) or self._popen(command, **options)

    def _ask(self, command: str, options: dict[str, Any]) -> Command | None:
        """Ask the server to run a command; None if it needs a shell, or the server refuses."""
        words, environment, output = _words(command), options.get("env"), options.get("stdout")
        if not words or words[0] not in self._commands or not environment:
            return None
        if environment.get("CADUCEUS_PYTHON") != self._script:
            return None
        try:
            if output is not None and output.fileno() != _OUTPUT:
                return None
        except (AttributeError, ValueError, OSError):  # none of the system's
            return None
        variables = {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}
        words = [self._script, "-m", "caduceus", *words]
        given = client.inherited(self._mask)
        connection = client.ask(self._path, words[1:], variables, given, begins=True)
        if connection is None:
            return None
        answer = connection.recv(16)  # the server may be out of processes, or have been killed
        if not answer.isdigit():
            connection.close()
            return None
        return Command(connection, int(answer))


def _words(command: str) -> list[str]:
    """Return the words of a command of Caduceus; none if the shell would do more than start it."""
    plain = command.removeprefix(_PREFIX)
    return shlex.split(plain) if plain != command and _PLAIN.fullmatch(plain) else []


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
