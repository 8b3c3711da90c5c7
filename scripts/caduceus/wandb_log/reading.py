"""Reading a log from its file, whole or while it is being written."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from caduceus.wandb_log.framing import HEADER, Damage, RecordReader, open_log
from caduceus.wandb_log.records import HISTORY, add_record, read_row, split_record
from caduceus.wandb_log.segments import Row, Segment
from caduceus.wandb_log.wire import WireError


def read_log(path: Path) -> Segment:
    """Read a `.wandb` file to its last whole record.

    Raises:
        LogError: the file is missing or isn't a `.wandb` log of version 0. A log that is cut off
            or damaged inside is read as far as it can be; `damage` says what is lost.
    """
    segment = Segment(path)
    segment.history.extend(iter_rows(segment))
    return segment


def iter_rows(segment: Segment) -> Iterator[Row]:
    """Yield the rows of the log at `segment.path`, and add all else that it says to `segment`.

    Raises:
        LogError: as `read_log`.
    """
    with open_log(segment.path) as stream:
        reader = RecordReader(stream, segment.damage)
        for payload in reader.read():
            if (row := add_record(segment, payload)) is not None:
                yield row
        reader.finish()


def iter_contents(segment: Segment) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of each readable record, and add what they say to `segment`.

    Raises:
        LogError: as `read_log`.
    """
    yield from filter(None, follow_contents(segment, lambda: True))


def follow_contents(
    segment: Segment, is_over: Callable[[], bool], interval_s: float = 0.5
) -> Iterator[tuple[int, bytes] | None]:
    """Yield the same as a log is being written, and None whenever there is nothing new.

    Args:
        segment: takes everything but rows.
        is_over: says that the log's writer has gone; the run's own end is an end too.
        interval_s: how long to wait when there is nothing new, in seconds.

    Raises:
        LogError: as `read_log`.
    """
    with open_log(segment.path) as stream:
        reader = RecordReader(stream, segment.damage)
        was_over = False
        while not was_over:
            was_over = is_over()  # asked first, so that nothing is missed
            for payload in reader.read():
                add_record(segment, payload)
                with suppress(WireError):  # counted by add_record
                    yield split_record(payload)
            if segment.exit_code is not None:
                break
            if not was_over:
                yield None
                time.sleep(interval_s)
        reader.finish()


class RowWatch:
    """Follows a log that is being written; each look reads what was added since."""

    def __init__(self, path: Path):
        self._stream = path.open("rb")
        self._reader = RecordReader(self._stream, Damage())
        self._last_step = -1

    def rows(self) -> Iterator[Row]:
        """Yield the rows that were added since the last look."""
        for payload in self._reader.read():
            with suppress(WireError):
                kind, content = split_record(payload)
                if kind == HISTORY:
                    yield read_row(content)

    def last_step(self) -> int:
        """The step of the last row in the file; -1 before the first."""
        for row in self.rows():
            self._last_step = int(row.get("_step", "0"))
        return self._last_step

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def follow(
    path: Path, is_over: Callable[[], bool] = lambda: False, interval_s: float = 0.5
) -> Iterator[Row]:
    """Yield each row of a run as it is written.

    Ends after the run's own end, or when `is_over` says that its writer has gone and all that it
    left is read. Waits for a file that isn't there yet.

    Args:
        path: the `.wandb` file.
        is_over: asked whenever there is nothing new.
        interval_s: how long to wait then, in seconds.

    Raises:
        LogError: the file isn't a `.wandb` log of version 0, or can't be read.
    """
    while not path.exists() or path.stat().st_size < len(HEADER):
        if is_over():
            return
        time.sleep(interval_s)
    segment = Segment(path)
    with open_log(path) as stream:
        reader = RecordReader(stream, segment.damage)
        while segment.exit_code is None:
            was_over = is_over()  # asked before reading, so that nothing written is missed
            for payload in reader.read():
                if (row := add_record(segment, payload)) is not None:
                    yield row
            if was_over:
                return
            if segment.exit_code is None:
                time.sleep(interval_s)
