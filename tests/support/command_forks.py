"""A Snakemake whose command server forks every command from what this process has imported.

Elsewhere the server is a new interpreter that imports the commands of each run only. Those of
tables, figures and the report import ten times as much, and tests start each of them a hundred
times.
"""

import atexit
import contextlib
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from watching.opens import watch

_MAX_BYTES = 1 << 20


@dataclass
class _Server:
    """The command server, as `starting` has it of `subprocess.Popen`."""

    pid: int
    stdin: IO[bytes]

    def poll(self) -> int | None:
        """Take the exit status, if it has ended."""
        return os.waitpid(self.pid, os.WNOHANG)[1]


def fork_commands() -> None:
    """Fork the process that becomes the command server once this one, a Snakemake, starts jobs."""
    from caduceus import commands
    from caduceus.system import processes
    from caduceus.system.command_server import starting

    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        here.close()
        _become_server(there)
    there.close()

    def start_server(words: Sequence[str], inherited: Sequence[int]) -> _Server:
        assert words[2] == starting._SERVER
        read, write = os.pipe()
        told = json.dumps([words[2:], str(Path.cwd()), dict(os.environ)]).encode()
        socket.send_fds(here, [told], [read, *inherited])
        here.close()
        os.close(read)
        return _Server(pid, os.fdopen(write, "wb"))

    names = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    starting.COMMANDS = tuple(name.replace("_", "-") for name in names)
    processes.start_server = start_server


@dataclass
class _Snakemake:
    """A Snakemake that a command has started, as `run_here` has it of `subprocess.Popen`."""

    pid: int

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def fork_snakemakes(count: int, run: Callable[[str], None]) -> None:
    """Fork processes that become the Snakemakes that this one, a command, starts.

    Args:
        count: how many; a command that starts more gets new interpreters for them.
        run: runs a module as `python -m` does.
    """
    from caduceus.system import processes

    start_afresh = processes.start_here
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    waiting = count
    for _ in range(count):
        if os.fork() == 0:
            here.close()
            _become_snakemake(there, run)
    there.close()

    def start_here(words: Sequence[str]) -> Any:
        nonlocal waiting
        if not waiting or list(words[:3]) != [sys.executable, "-m", "snakemake"]:
            return start_afresh(words)
        waiting -= 1
        # Its standard streams and its environment may have changed since the fork.
        told = json.dumps([list(words[2:]), str(Path.cwd()), dict(os.environ)]).encode()
        socket.send_fds(here, [told], [0, 1, 2])
        return _Snakemake(int(here.recv(_MAX_BYTES)))

    processes.start_here = start_here


def _become_snakemake(told_by: socket.socket, run: Callable[[str], None]) -> NoReturn:
    """Become a Snakemake once this process is told to; end without a word if it never is."""
    told, descriptors, _, _ = socket.recv_fds(told_by, _MAX_BYTES, 3)
    if not told:
        os._exit(0)
    told_by.send(str(os.getpid()).encode())
    told_by.close()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    words, cwd, variables = json.loads(told)
    os.chdir(cwd)
    sys.path[0] = cwd
    os.environ.clear()
    os.environ.update(variables)
    fork_commands()
    sys.argv = words
    end_as(lambda: run(words[0]))


def end_as(main: Callable[[], int | None]) -> NoReturn:
    """Run what a program does, and end as it does without taking the interpreter apart.

    That touches every object, and so copies the pages of all that a fork shares: 0.15 s of CPU.
    """
    try:
        status = main() or 0
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # waits for threads, as the end of a program does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status & 0xFF)


def _become_server(told_by: socket.socket) -> None:
    """Serve once this process is told to; end without a word if it never is."""
    from caduceus.system.command_server import server

    # A terminal's Ctrl-C is for Snakemake, which closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told, descriptors, _, _ = socket.recv_fds(told_by, _MAX_BYTES, 2)
    told_by.close()
    if not told:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    [_, _, folder], cwd, variables = json.loads(told)
    os.dup2(descriptors[0], 0)
    os.close(descriptors[0])
    os.chdir(cwd)
    sys.path[0] = cwd
    os.environ.clear()
    os.environ.update(variables)
    if reads := os.environ.get("WATCHED_READS"):
        os.register_at_fork(after_in_child=lambda: watch(reads, []))
    sys.argv = [str(server.__file__), str(descriptors[1]), folder]
    end_as(server.main)
