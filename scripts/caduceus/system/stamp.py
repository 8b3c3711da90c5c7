"""The stamp: what a command looked at when it last had nothing to do.

A command that looks at the same again comes to the same result. So the stamp of one that found
nothing to do holds the state of all that it looked at, and while all are equal the command is
answered without being done. Everything that can't be known leads to no stamp, or to another one.
"""

import hashlib
import json
import marshal
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from caduceus.io.files import write_whole
from caduceus.system.file_states import FileStates, State, times_of
from caduceus.system.recorded_reads import RecordedReads

FOLDER = Path(".snakemake/caduceus")
# Variables that shells, terminals and make set anew each time, and that decide nothing.
_PASSING = {
    *(
        "_",
        "SHLVL",
        "PWD",
        "OLDPWD",
        "COLUMNS",
        "LINES",
        "WINDOWID",
        "SSH_CLIENT",
        "SSH_CONNECTION",
    ),
    *("SSH_TTY", "SSH_AUTH_SOCK", "TMUX", "TMUX_PANE", "STY", "XDG_SESSION_ID", "MAKEFLAGS"),
    *("MFLAGS", "MAKELEVEL", "MAKE_TERMOUT", "MAKE_TERMERR"),
}
# A file that changes within the clock's tick after it was looked at may keep its times. File
# systems whose times are whole seconds, of up to two, are known by them.
_TICK_NS = 50_000_000
_COARSE_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000


class Stamp:
    """The stamp of a command in the present folder.

    Args:
        command: its name.
        words: its arguments.

    Attributes:
        states: of what the command looked at, if the stamp answers.
    """

    def __init__(self, command: str, words: Sequence[str]) -> None:
        self._path = FOLDER / command
        self._key = _key(words)
        self._began_ns = 0
        self.states: Mapping[bytes, State] | None = None

    def answer(self) -> str | None:
        """Return what the command printed when it had nothing to do, if all is as it was then.

        Then `states` has what it looked at.
        """
        try:
            head, _, listed = self._path.read_bytes().partition(b"\n")
            known = json.loads(head)
            if known["key"] != self._key:
                return None
            files, paths = FileStates(), listed.split(b"\0")
            found = dict(zip(paths, map(files.of, paths), strict=True))
            if known["states"] != _digest(found.values()):
                return None
            self.states = found
            return str(known["answer"])
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def begin(self) -> int:
        """Remove the stamp, and return the time by the clock of the project's file system, in ns.

        The time is 0 where no stamp can be written: Snakemake has never run here, or the disk is
        full.
        """
        probe = self._path.with_name(f".{os.uname().nodename}.{os.getpid()}")
        try:
            if not FOLDER.parent.is_dir():
                return 0
            FOLDER.mkdir(exist_ok=True)
            self._path.unlink(missing_ok=True)
            probe.touch()
            began_ns = probe.stat().st_mtime_ns
            probe.unlink()
        except OSError:
            return 0
        return began_ns

    def write(self, text: str, reads: RecordedReads, began_ns: int) -> None:
        """Keep what the command printed for the next time that all is as it is.

        Nothing is kept if something else than files may have decided, or if a file is so young that
        a change since the command began may not show in its times.

        Args:
            text: what it printed.
            reads: all that it looked at.
            began_ns: the time before the first of them, from `begin`.

        Raises:
            OSError: the folder can't be written.
        """
        states = reads.states
        if not reads.doubt and have_settled(states.values(), began_ns):
            head = {"key": self._key, "states": _digest(states.values()), "answer": text}
            write_whole(self._path, json.dumps(head).encode() + b"\n" + b"\0".join(states))


def have_settled(states: Iterable[State], began_ns: int) -> bool:
    """Whether a change after a time would show in the times of each file."""
    times = (time for state in states for time in times_of(state))
    ticks = ((time, _TICK_NS if time % _SECOND_NS else _COARSE_NS) for time in times)
    return all(time + tick < began_ns for time, tick in ticks)


def _key(words: Sequence[str]) -> str:
    """Return the digest of all that decides besides files.

    The date is among it, so that a rule that goes by the day is asked each day, and the host, since
    between hosts times of files say nothing.
    """
    deciding = [
        *(list(words), str(Path.cwd()), sys.path, sys.version, list(sys.flags), sys.executable),
        sorted(item for item in os.environ.items() if item[0] not in _PASSING),
        *(os.uname().nodename, os.getuid(), sorted(os.getgroups()), os.cpu_count()),
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        time.strftime("%Y-%m-%d"),
    ]
    return hashlib.sha256(json.dumps(deciding).encode()).hexdigest()


def _digest(states: Iterable[State]) -> str:
    return hashlib.sha256(marshal.dumps(list(states), 2)).hexdigest()
