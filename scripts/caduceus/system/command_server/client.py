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

PATIENCE_S = 10.0  # for the server's answer
FORWARDED = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP, signal.SIGCONT),
)


def main() -> None:
    """Have the command run, and end as it does."""
    path, *words = sys.argv[1:]
    connection = ask(path, words[1:])
    if connection is None:
        os.execv(words[0], words)
    forward_signals(connection)
    try:
        connection.send(b"go")
    except OSError:  # the server has ended, and the command hasn't begun
        os.execv(words[0], words)
    status = connection.recv(16)  # nothing if the server was killed, which ends the command
    if status == b"refused":
        os.execv(words[0], words)
    end(int(status) if status else -signal.SIGKILL)


def inherited() -> bytes:
    """Return what a process has from its parent and a fork from the server would not.

    That is its limits, the mode of the files that it makes, its priority and its processors.
    """
    mask = os.umask(0)
    os.umask(mask)
    numbers = {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
    limits = [resource.getrlimit(number) for number in sorted(numbers)]
    priority = os.getpriority(os.PRIO_PROCESS, 0)
    return repr((limits, mask, priority, sorted(os.sched_getaffinity(0)))).encode()


def ask(path: str, words: list[str]) -> "socket.socket | None":
    """Ask the server to run a command; None unless it agrees to. It then waits for a message."""
    variables = [name + b"=" + value for name, value in os.environb.items()]
    count = str(len(words)).encode()
    request = b"\0".join([inherited(), count, *map(os.fsencode, words), *variables])
    try:
        for number in range(3):
            os.fstat(number)  # fails for a stream that is closed, whose number others would get
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.settimeout(PATIENCE_S)
        descriptors = [0, 1, 2, os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
        numbers = b"".join(number.to_bytes(4, sys.byteorder) for number in descriptors)
        connection.connect(path)
        connection.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])
        if connection.recv(16) != b"ready":
            return None
    except OSError:  # there is none, it is too busy, a stream is closed, the request is too long
        return None
    connection.settimeout(None)
    return connection


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
