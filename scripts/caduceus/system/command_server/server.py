"""The command server: a process that has imported the commands of each run, and forks for each.

It is started by `starting`, in the process group of its Snakemake, and ends once that has ended and
no command runs. A command is a child process, for `client` in a process group of its own, since
that forwards every signal to it: those of a terminal reach a whole group, and would come twice.
"""

import atexit
import contextlib
import ctypes
import importlib
import io
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from caduceus.system.command_server.client import inherited, umask
from caduceus.system.command_server.imports import Imports

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_MAX_BYTES = 1 << 20  # of a request; Linux sends no longer one at once
_KEEP_S = 3600.0  # systems delete files that nothing has touched for days
_MAX_CLIENTS = 200  # at once; each takes two file descriptors, of 1,024 that most systems allow
_DESCRIPTORS = 4  # of a request: the standard streams and the working folder
_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}


@dataclass(frozen=True)
class Request:
    """A command that a client asks for.

    Attributes:
        inherited: what the client has from its parent, as `client.inherited` returns it.
        is_direct: whether the command belongs to this process group, to which its client belongs
            too, so that nobody forwards signals to it.
        words: its words.
        environment: its environment.
        descriptors: the standard streams and the working folder.
    """

    inherited: bytes
    is_direct: bool
    words: tuple[str, ...]
    environment: dict[bytes, bytes]
    descriptors: tuple[int, ...]

    def close(self) -> None:
        """Close the file descriptors."""
        for number in self.descriptors:
            os.close(number)


@dataclass
class _Client:
    """A connection, what is asked for, and the process that does it."""

    connection: socket.socket
    request: Request | None = None
    signals: list[int] = field(default_factory=list)  # that came before the process was there
    pid: int | None = None
    ended: int | None = None  # the process's pidfd


class Server:
    """Forks a process for each command that a client asks for.

    Args:
        listener: the socket to which clients connect.
        folder: the folder of the socket, which is removed once the parent process has ended.
    """

    def __init__(self, listener: socket.socket, folder: Path):
        self._folder = folder
        self._listener = listener
        self._has_parent = True
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        self._selector = selectors.DefaultSelector()
        self._clients: dict[int, _Client] = {}  # by the descriptors that belong to each
        self._imports = Imports()
        self._inherited = inherited(umask())
        self._kept_s = time.monotonic()
        # Standard input is a pipe from the parent, which ends with it.
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        self._selector.register(listener, selectors.EVENT_READ)

    def serve(self) -> Request | None:
        """Answer clients; returns None at the end, and in a forked process the command to run."""
        while self._has_parent or self._clients:
            self._keep_folder()
            for key, _ in self._selector.select(_KEEP_S):
                if key.fileobj is sys.stdin:
                    self._stop_listening()
                    self._selector.unregister(sys.stdin)
                    self._has_parent = False
                    shutil.rmtree(self._folder, ignore_errors=True)
                elif key.fileobj is self._listener:
                    self._accept()
                # Unless it has ended meanwhile, and another has got the number of its descriptor.
                elif (client := self._clients.get(key.fd)) is not None and client is key.data:
                    if key.fd == client.ended:
                        self._report_end(client)
                    elif request := self._read(client):
                        return request
        return None

    def _keep_folder(self) -> None:
        """Touch what rules need of the folder, since systems delete old files of /tmp."""
        if self._has_parent and time.monotonic() >= self._kept_s + _KEEP_S:
            self._kept_s = time.monotonic()
            for path in (self._folder, *self._folder.glob("*")):
                with contextlib.suppress(OSError):
                    os.utime(path)

    def _stop_listening(self) -> None:
        """Leave all further commands to new interpreters."""
        if self._listener.fileno() >= 0:
            self._selector.unregister(self._listener)
            self._listener.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # there are no more descriptors
            self._stop_listening()
            return
        if len(self._clients) >= 2 * _MAX_CLIENTS:
            connection.close()
            return
        connection.setblocking(False)
        self._add(connection.fileno(), _Client(connection))

    def _add(self, descriptor: int, client: _Client) -> None:
        self._clients[descriptor] = client
        self._selector.register(descriptor, selectors.EVENT_READ, client)

    def _remove(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        del self._clients[descriptor]

    def _read(self, client: _Client) -> Request | None:
        """Read a message of a client; returns in a forked process the command to run."""
        try:
            if client.request is None and client.pid is None:
                client.request = _receive(client.connection)
                self._prepare(client.request)
                client.connection.send(b"ready")
                return None  # its client may have given up: only what that sends now starts it
            message = client.connection.recv(16)
        except (OSError, ValueError):
            message = b""
        if not message:
            self._forget(client)
        elif message == b"go":
            return self._fork(client)
        elif client.pid is None:
            client.signals.append(int(message))
        else:
            os.kill(client.pid, int(message))
        return None

    def _prepare(self, request: Request) -> None:
        """Import what a command needs.

        Raises:
            ValueError: a new interpreter might do something else.
        """
        here, there = Path().stat(), os.fstat(request.descriptors[-1])
        if not os.path.samestat(here, there) or request.inherited != self._inherited:
            raise ValueError
        self._imports.prepare(request.words[2], request.environment)
        if len([*Path("/proc/self/task").iterdir()]) > 1:  # a fork would lack the other threads
            self._stop_listening()
            raise ValueError

    def _fork(self, client: _Client) -> Request | None:
        request, client.request = client.request, None
        assert request
        server = os.getpid()
        try:
            client.pid = os.fork()
        except OSError:
            request.close()
            with contextlib.suppress(OSError):  # the client was killed
                client.connection.send(b"refused")
            self._forget(client)
            return None
        if client.pid == 0:
            self._become(request, client.connection, server)
            return request
        request.close()
        client.ended = os.pidfd_open(client.pid)
        self._add(client.ended, client)
        for number in client.signals:
            os.kill(client.pid, number)
        return None

    def _become(self, request: Request, connection: socket.socket, server: int) -> None:
        """Turn this forked process into the one that the client stands for."""
        if not request.is_direct:
            os.setpgid(0, 0)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server:
            os._exit(1)
        if request.is_direct:
            # Not by the server, which may be killed once the command has begun: a client that hears
            # of none starts another.
            try:
                connection.send(str(os.getpid()).encode())
            except OSError:  # the client was killed
                os._exit(1)
        self._selector.close()
        self._listener.close()
        for descriptor, other in self._clients.items():
            if descriptor == other.ended:
                os.close(descriptor)
            else:
                other.connection.close()
            if other.request:
                other.request.close()
        for number, descriptor in enumerate(request.descriptors[:3]):
            os.dup2(descriptor, number)
        os.fchdir(request.descriptors[-1])
        request.close()
        os.environb.clear()
        os.environb.update(request.environment)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        # The server runs the exit functions of its imports, such as one that removes a folder; a
        # forked command must not.
        atexit._clear()
        tempfile.tempdir = None  # it goes by the environment

    def _report_end(self, client: _Client) -> None:
        assert client.pid is not None and client.ended is not None
        _, status = os.waitpid(client.pid, 0)
        self._remove(client.ended)
        os.close(client.ended)
        client.pid = client.ended = None
        with contextlib.suppress(OSError):  # the client was killed
            client.connection.send(str(os.waitstatus_to_exitcode(status)).encode())
        self._forget(client)

    def _forget(self, client: _Client) -> None:
        """Close a connection; if the client has ended before its process, kill that."""
        if client.pid is not None:
            os.kill(client.pid, signal.SIGKILL)
        if client.request:
            client.request.close()
            client.request = None
        if client.connection.fileno() >= 0:
            self._remove(client.connection.fileno())
            client.connection.close()


def _receive(connection: socket.socket) -> Request:
    """Receive a request.

    Raises:
        OSError: the client has ended.
        ValueError: it isn't complete.
    """
    message, descriptors, flags, _ = socket.recv_fds(connection, _MAX_BYTES, _DESCRIPTORS)
    from_parent, way, count, *parts = message.split(b"\0") if message else (b"", b"", b"0")
    request = Request(
        from_parent,
        way == b"direct",
        tuple(os.fsdecode(word) for word in parts[: int(count)]),
        dict(entry.split(b"=", 1) for entry in parts[int(count) :]),
        tuple(descriptors),
    )
    is_cut = flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC)
    if is_cut or len(descriptors) != _DESCRIPTORS or request.words[:2] != ("-m", "caduceus"):
        request.close()
        raise ValueError
    return request


def end_process(status: int) -> NoReturn:
    """End this forked process as an interpreter ends, but leave all memory as it is.

    To free it writes to pages that are shared with the server: 0.01 s for their copies.
    """
    # os._exit cuts off all threads. Python's own end waits for them by this function, which the
    # stubs leave out.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = 120  # Python's own if it can't write its last output
    os._exit(status)


def main() -> int:
    """Serve; in a forked process, run its command and return its exit status."""
    command_line = importlib.import_module("caduceus.__main__")  # by name: it is above this package
    listener = socket.socket(fileno=int(sys.argv[1]))
    request = Server(listener, Path(sys.argv[2])).serve()
    if request is None:
        return 0
    sys.argv = [str(command_line.__file__), *request.words[2:]]
    end_process(command_line.main())


if __name__ == "__main__":
    sys.exit(main())
