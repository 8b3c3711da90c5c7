"""Start Python programs from a process that has imported their modules already.

A server (`server/`) imports the modules once and forks itself for each program. Whatever could make
a program differ from a fresh start is a reason not to fork: see `server/caduceus_preloading`.
"""

import contextlib
import fnmatch
import json
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from caduceus.io.files import Json
from caduceus.system import kernel, processes
from caduceus.system.descendants import Descendants, GuardedDescendants
from caduceus.system.preloading import private_folders, requests
from caduceus.system.preloading.environment_changes import environment_change
from caduceus.system.preloading.requests import Hook, NotForkedError, PythonCommand
from caduceus.system.preloading.server.caduceus_preloading import messages
from caduceus.system.started_programs import Ended

_SERVER = Path(__file__).parent / "server/serve.py"
_POLL_S = 0.5
_FEW = 50  # modules that each program imports sooner than a server is forked for them
_STARTS = 2  # of a server: one that was there may just have ended


@dataclass(frozen=True)
class Preload:
    """The description of the process that programs are forked from.

    Attributes:
        modules: the modules that are imported before, in their order.
        base: the first of these, from which earlier programs were forked. If their server is there,
            the program is forked from it if it lacks few of the modules, and else from a fork of it
            that imports these. Empty for none.
        owner: the process with whose end the server ends.
        varying: names of variables by which programs of one server may differ, with `*` for
            anything; a module that reads one while it is imported isn't preloaded.
        replaced: functions, such as `wandb.init`, that the hook replaces in their module.
        hook: what starts before the program; None for nothing.
        idle_s: seconds without a program after which the server ends.
    """

    modules: tuple[str, ...]
    base: tuple[str, ...] = ()
    owner: int = field(default_factory=os.getppid)
    varying: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    hook: Hook | None = None
    idle_s: float = 300.0


class ForkedProgram:
    """A program that was forked from a server; it leads a session of its own.

    Attributes:
        pid: its process id, which stays its own until `wait`.
        guard: its parent, to which all processes come that the program leaves behind.
    """

    def __init__(self, connection: socket.socket, pid: int, guard: int):
        self.pid, self.guard, self._connection = pid, guard, connection

    def wait(self) -> Ended:
        """Wait until the program has ended."""
        answer = self._ask("end")
        if answer is None:  # its guard was killed, and the program with it
            return Ended(signal.SIGKILL, 0.0, 0)
        return Ended(cast(int, answer["status"]), *_used(answer))

    @contextmanager
    def watched(self) -> Iterator[Descendants]:
        """Find what descends from it while the `with` block runs; then its guard ends."""
        with self._connection:
            yield GuardedDescendants(self.guard, lambda: _used(self._ask("rest") or {}))

    def _ask(self, question: str) -> dict[str, Json] | None:
        with contextlib.suppress(OSError, EOFError):
            messages.send(self._connection, question)
            answer, _ = messages.receive(self._connection)
            return cast(dict[str, Json], answer)
        return None


def _used(answer: Mapping[str, Json]) -> tuple[float, int]:
    return cast(float, answer.get("cpu_s", 0.0)), cast(int, answer.get("peak_kb", 0)) * 1024


def fork(
    words: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    descriptors: Mapping[int, int],
    preload: Preload,
    should_wait: Callable[[], bool] = lambda: True,
) -> ForkedProgram:
    """Start a program from a server, which is started if there is none.

    Args:
        words: the program and its arguments.
        cwd: the folder in which it starts.
        environment: its complete environment.
        descriptors: descriptors of this process by the number that each has in the program.
        preload: what it is forked from.
        should_wait: is called twice a second while a server starts or answers; False ends the
            wait.

    Raises:
        NotForkedError: nothing was started; start it afresh.
    """
    if not kernel.IS_LINUX:
        raise NotForkedError("programs are forked on Linux only", is_new=False)
    folder = None
    try:
        folder = private_folders.owner_folder(preload.owner)
        command = requests.parse(words, environment, cwd)
        if change := environment_change(cwd):
            raise NotForkedError(
                f"{change} changes os.environ, which modules may read when imported"
            )
        return _fork(command, cwd, environment, descriptors, preload, folder, should_wait)
    except (NotForkedError, OSError) as error:
        reason = str(error)
        if isinstance(error, OSError):
            reason = f"{error.filename or 'preload server'}: {error.strerror or error}"
        is_new = folder is None or private_folders.tell_once(folder, reason)
        raise NotForkedError(reason, is_new) from None


def _fork(
    command: PythonCommand,
    cwd: Path,
    environment: Mapping[str, str],
    descriptors: Mapping[int, int],
    preload: Preload,
    owned: Path,
    should_wait: Callable[[], bool],
) -> ForkedProgram:
    shared = {
        name: value
        for name, value in environment.items()
        if not any(
            fnmatch.fnmatchcase(name, pattern) for pattern in (*preload.varying, "PYTHONPATH")
        )
    }
    base, folder = (
        owned / private_folders.key(command, shared, names, preload.replaced)
        for names in (preload.base, preload.modules)
    )
    if _has_most(base, preload.modules):
        folder, preload = base, replace(preload, modules=preload.base)
    wanted = requests.request(command, cwd, environment, list(descriptors), preload.hook)
    for _ in range(_STARTS):
        connection = _connect(folder)
        if connection is None:
            with private_folders.locked(folder, should_wait):
                connection = _connect(folder)
                if connection is None:
                    connection = _start_server(command, folder, shared, preload, should_wait, base)
        answer: dict[str, Json] = {"ended": "the preload server has ended"}
        with contextlib.suppress(EOFError, ConnectionError):
            messages.send(connection, wanted, [*descriptors.values()])
            answer = _answer(connection, should_wait)
            if "asks" in answer:  # for this last word, without which nothing starts
                messages.send(connection, "go")
                answer = _answer(connection, should_wait)
        if "pid" in answer:
            return ForkedProgram(connection, cast(int, answer["pid"]), cast(int, answer["guard"]))
        connection.close()
        if "refused" in answer:
            break
    raise NotForkedError(str(answer.get("refused") or answer.get("ended")))


def _has_most(folder: Path, modules: Sequence[str]) -> bool:
    """Whether the server in a folder has imported these modules but for a few."""
    try:
        imported = set((folder / "imported").read_text().split())
    except OSError:
        return False
    return len(set(modules) - imported) < _FEW


def _answer(connection: socket.socket, should_wait: Callable[[], bool]) -> dict[str, Json]:
    """Return the server's next message.

    Raises:
        NotForkedError: there is none before `should_wait` is false; the connection is closed.
        EOFError: the server has ended.
    """
    while not select.select([connection], [], [], _POLL_S)[0]:
        if not should_wait():
            connection.close()
            raise NotForkedError("it was stopped before the preload server answered")
    received, _ = messages.receive(connection)
    return cast(dict[str, Json], received)


def _connect(folder: Path) -> socket.socket | None:
    """Return a connection to the server of a folder; None if there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _socket_path(folder) as path:
            connection.connect(path)
    except OSError:
        connection.close()
        return None
    return connection


@contextmanager
def _socket_path(folder: Path) -> Iterator[str]:
    """Yield a short path of a folder's socket: Linux takes at most 107 bytes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/socket"
    finally:
        os.close(descriptor)


def _start_server(
    command: PythonCommand,
    folder: Path,
    environment: Mapping[str, str],
    preload: Preload,
    should_wait: Callable[[], bool],
    base: Path,
) -> socket.socket:
    """Start a server, wait until it has imported its modules, and return a connection to it.

    It is forked from the server in the folder `base`, if there is one.

    Raises:
        NotForkedError: it can't be started, or its modules can't be preloaded.
    """
    refused = folder / "refused"
    if refused.exists():  # found out by an earlier program of this build
        raise NotForkedError(refused.read_text())
    path = folder / "socket"
    path.unlink(missing_ok=True)
    hears, tells = os.pipe()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with listener, os.fdopen(hears, "rb") as stream:
        try:
            with _socket_path(folder) as short:
                listener.bind(short)
            settings = {
                "modules": [*preload.modules],
                "varying": [*preload.varying],
                "replaced": [*preload.replaced],
                "listener": listener.fileno(),
                "tells": tells,
                "owner": preload.owner,
                "idle_s": preload.idle_s,
                "folder": str(folder),
            }
            given = folder / "settings.json"  # a word of a command line takes 128 KiB
            given.write_text(json.dumps(settings))
            here = folder / "cwd"  # a path that only values made from it contain
            here.mkdir(mode=0o700, exist_ok=True)
            with (folder / "printed").open("wb") as console:
                inherited = [listener.fileno(), tells]
                if not _is_forked(base, given, [*inherited, console.fileno()], should_wait):
                    words = [str(command.interpreter), str(_SERVER), str(given)]
                    processes.start(words, console, here, environment, inherited).wait()
        finally:
            os.close(tells)
        while not select.select([stream], [], [], _POLL_S)[0]:
            if not should_wait():
                raise NotForkedError("it was stopped while the preload server started")
        told = stream.read().decode(errors="replace")
    connection = _connect(folder) if told == "ready" else None
    if connection is None:
        path.unlink(missing_ok=True)
        reason = (
            told if told not in ("", "ready") else f"the preload server ends: {_last_line(folder)}"
        )
        refused.write_text(reason)
        raise NotForkedError(reason)
    return connection


def _is_forked(
    base: Path, settings: Path, descriptors: Sequence[int], should_wait: Callable[[], bool]
) -> bool:
    """Fork a server from another one; returns whether there was one that could be forked."""
    connection = _connect(base)
    if connection is None:
        return False
    with connection, contextlib.suppress(EOFError, ConnectionError):
        messages.send(connection, {"settings": str(settings)}, descriptors)
        return "forked" in _answer(connection, should_wait)
    return False


def _last_line(folder: Path) -> str:
    lines = (folder / "printed").read_text(errors="replace").splitlines()
    return lines[-1] if lines else "without a message"
