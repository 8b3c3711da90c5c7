"""A request to start a program: which command lines a preload server can start, and from what."""

import os
import resource
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.io.files import Json

_ENV = ("env", "/usr/bin/env", "/bin/env")
_ELF = b"\x7fELF"
_IGNORED_BY_PYTHON = {signal.SIGPIPE, signal.SIGXFSZ}


class NotForkedError(Exception):
    """A program isn't forked from a preloaded process, and nothing of it was started.

    Start it afresh. The text says why, and `is_new` whether nobody was told so far.
    """

    def __init__(self, reason: str, is_new: bool = True):
        super().__init__(reason)
        self.is_new = is_new


@dataclass(frozen=True)
class Hook:
    """A package that starts with each Python process, by a `sitecustomize` beside it.

    Attributes:
        folder: where both are; a folder of PYTHONPATH.
        module: the package; its `start()` is called.
    """

    folder: Path
    module: str


@dataclass(frozen=True)
class PythonCommand:
    """A command line that starts a Python program.

    Attributes:
        interpreter: the path of the interpreter.
        words: the command line without `env`.
        first: the index of the first word of `sys.argv`: the script, or what follows the module.
        module: the module after `-m`; None for a script.
    """

    interpreter: Path
    words: tuple[str, ...]
    first: int
    module: str | None


def parse(words: Sequence[str], environment: Mapping[str, str], cwd: Path) -> PythonCommand:
    """Return the command line of a Python program.

    Raises:
        NotForkedError: it starts something else, or Python with options.
    """
    own = list(words[1:] if words and words[0] in _ENV else words)
    if not own or "=" in own[0] or own[0].startswith("-"):
        raise NotForkedError("its command isn't that of a Python program")
    found = shutil.which(own[0], path=environment.get("PATH", os.defpath))
    interpreter = cwd / found if found else None
    if interpreter is None or not interpreter.name.startswith("python") or not _is_elf(interpreter):
        raise NotForkedError(f"{own[0]} isn't a Python interpreter")
    if len(own) > 2 and own[1] == "-m" and not own[2].startswith("-"):
        return PythonCommand(interpreter, tuple(own), 3, own[2])
    if len(own) < 2 or own[1].startswith("-"):
        raise NotForkedError("its command has options of Python")
    if not own[1].endswith(".py") or not (cwd / own[1]).is_file():
        raise NotForkedError(f"{own[1]} isn't a file of Python code")
    return PythonCommand(interpreter, tuple(own), 1, None)


def _is_elf(path: Path) -> bool:
    """Whether a program is one by itself: a script around it may change its environment."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_ELF)) == _ELF
    except OSError:
        return False


def request(
    command: PythonCommand,
    cwd: Path,
    environment: Mapping[str, str],
    numbers: Sequence[int],
    hook: Hook | None,
) -> dict[str, Json]:
    """Return the message that asks for a program, which starts as a child of this process would.

    Args:
        command: its command line.
        cwd: the folder in which it starts.
        environment: its complete environment.
        numbers: its file descriptors; as many are sent along.
        hook: what starts before the program; None for nothing.
    """
    given = environment.get("PYTHONPATH")
    paths = given.split(os.pathsep) if given else []
    return {
        "words": [*command.words],
        "first": command.first,
        "module": command.module,
        "cwd": str(cwd.absolute()),
        "environment": dict(environment),
        "descriptors": [*numbers],
        "python_path": [path for path in paths if hook is None or path != str(hook.folder)],
        "hook": {"folder": str(hook.folder), "module": hook.module} if hook else None,
        "umask": _umask(),
        "limits": [[number, [*resource.getrlimit(number)]] for number in sorted(_limits())],
        "ignored": sorted(
            number
            for number in signal.valid_signals() - _IGNORED_BY_PYTHON
            if signal.getsignal(number) is signal.SIG_IGN
        ),
    }


def _umask() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    return 0o022


def _limits() -> set[int]:
    return {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
