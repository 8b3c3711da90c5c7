"""Read a log that grows, each time from where the last read ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from caduceus.wandb_log.framing import HEADER, Damage, RecordReader, open_log
from caduceus.wandb_log.records import add_record
from caduceus.wandb_log.segments import Row, Segment


class ReplacedLogError(Exception):
    """The file is another one, or shorter than what was read: that no longer holds."""


@dataclass(frozen=True)
class _State:
    """The state of a file, by which it is seen whether it may hold more."""

    inode: int
    size: int
    mtime_ns: int


class LogTail:
    """The end of a log that a process may still be writing.

    The file is opened for each read: on NFS only an open sees what another host has written.

    Attributes:
        segment: everything but the rows; console and system metrics only those of the last read.
    """

    def __init__(self, path: Path):
        self.segment = Segment(path)
        self._state: _State | None = None
        self._position = 0  # after the last whole record
        self._damage = Damage()  # up to there

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended the run in this log, so that nothing more follows."""
        return self.segment.exit_code is not None

    @property
    def damage(self) -> Damage:
        """The part that can't be read so far, in words."""
        return self.segment.damage

    def is_unread(self) -> bool:
        """Whether the file changed since the last read.

        Raises:
            ReplacedLogError: it is another file, or shorter.
            OSError: it can't be reached.
        """
        return self._stat() != self._state

    def rows(self) -> Iterator[Row]:
        """Yield the rows that were added since the last call; may be left at any of them.

        Raises:
            LogError: it isn't a log, or can't be read.
            ReplacedLogError: it is another file than before, or shorter.
            OSError: it is gone.
        """
        state = self._stat()
        self.segment.console.clear()
        self.segment.stats.clear()
        with open_log(self.segment.path) as stream:
            if self._position and stream.read(len(HEADER)) != HEADER:
                raise ReplacedLogError(str(self.segment.path))
            found = Damage()
            reader = RecordReader(stream, found)
            reader.position = self._position
            for payload in reader.read():
                self._position = reader.position
                self._damage.corrupt_blocks += found.corrupt_blocks
                found.corrupt_blocks = 0
                row = add_record(self.segment, payload)
                if row is not None:
                    yield row
        self.segment.damage.corrupt_blocks = self._damage.corrupt_blocks + found.corrupt_blocks
        self._state = state  # of before the read: what was written meanwhile is read next time

    def _stat(self) -> _State:
        about = self.segment.path.stat()
        state = _State(about.st_ino, about.st_size, about.st_mtime_ns)
        if state.size < self._position or (self._state and state.inode != self._state.inode):
            raise ReplacedLogError(str(self.segment.path))
        return state
