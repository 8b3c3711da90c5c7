"""Run a command in a process that the command server forks, as if it were this process.

`python -I -S client.py SOCKET PYTHON -m caduceus COMMAND ...`: the command gets this process's
working folder, environment and standard streams, and the signals that this process gets, and this
process ends as it does. Whenever the server doesn't answer, PYTHON takes the place of this process.

It starts for each command of each run: it imports nothing that takes time, hence `_socket`, whose
wrapper `socket` takes longer to import than Python to start.
"""

import _signal as signal  # type: ignore[import-not-found]  # mypy has no stub of it
import _socket as socket
import os
import resource
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATIENCE_S = 10.0  # for the server's answer
FORWARDED = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP, signal.SIGCONT),
)


def main() -> None:
    """Have the command run, and end as it does."""
    path, *words = sys.argv[1:]
    connection = ask(path, words[1:], os.environb, inherited(umask()))
    if connection is None:
        os.execv(words[0], words)
    forward_signals(connection)
    try:
        connection.send(b"go")
    except OSError:  # the server has ended, and the command hasn't begun
        os.execv(words[0], words)
    status = receive(connection)  # nothing if the server was killed, which ends the command
    if status == b"refused":
        os.execv(words[0], words)
    end(int(status) if status else -signal.SIGKILL)


def umask() -> int:
    """Return the mask of the modes of new files, which can't be read without setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def inherited(mask: int) -> bytes:
    """Return what a process has from its parent and a fork from the server would not.

    That is its limits, the mask of the modes of its files, its priority and its processors.
    """
    numbers = {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
    limits = [resource.getrlimit(number) for number in sorted(numbers)]
    priority = os.getpriority(os.PRIO_PROCESS, 0)
    return repr((limits, mask, priority, sorted(os.sched_getaffinity(0)))).encode()


def ask(
    path: str,
    words: "Sequence[str]",
    environment: "Mapping[bytes, bytes]",
    inherited: bytes,
    is_direct: bool = False,
) -> "socket.socket | None":
    """Ask the server to run a command.

    Args:
        path: of the server's socket.
        words: of the command.
        environment: of the command.
        inherited: as the function of this name returns it.
        is_direct: whether the command belongs to the server's process group, to which this process
            belongs too; otherwise to a group of its own.

    Returns:
        The connection, by which `go` starts the command; None unless the server agrees in time.
        Without `go` the server never starts it.
    """
    variables = [name + b"=" + value for name, value in environment.items()]
    count, way = str(len(words)).encode(), b"direct" if is_direct else b"client"
    request = b"\0".join([inherited, way, count, *map(os.fsencode, words), *variables])
    if not all(map(is_open, range(3))):  # others would get the number of one that is closed
        return None
    descriptors = [0, 1, 2, os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.settimeout(PATIENCE_S)
        numbers = b"".join(number.to_bytes(4, sys.byteorder) for number in descriptors)
        connection.connect(path)
        connection.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])
        if connection.recv(16) == b"ready":
            connection.settimeout(None)
            return connection
    except OSError:  # there is no server, it is too busy, the request is too long
        pass
    finally:
        os.close(descriptors[-1])
    connection.close()
    return None


def receive(connection: socket.socket) -> bytes:
    """Receive a message of the server; nothing if it has closed the connection."""
    try:
        return connection.recv(16)
    except ConnectionResetError:  # it hadn't read our last message; its own comes after this error
        return connection.recv(16)


def is_open(descriptor: int) -> bool:
    """Whether a file descriptor is open."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def forward_signals(connection: socket.socket) -> None:
    """Send the number of each signal that this process gets to the server."""

    def forward(number: int, _: object) -> None:
        try:
            connection.send(str(number).encode())
        except OSError:  # the command has ended
            return
        if number == signal.SIGTSTP:
            os.kill(os.getpid(), signal.SIGSTOP)

    for number in FORWARDED:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, forward)


def end(status: int) -> None:
    """End as the command did: with its exit status, or by the signal that ended it."""
    if status >= 0:
        os._exit(status)
    number = -status
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)


if __name__ == "__main__":
    main()
