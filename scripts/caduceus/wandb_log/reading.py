"""Read a log from its file, complete or while it is being written."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from caduceus.wandb_log.framing import HEADER, Damage, RecordReader, open_log
from caduceus.wandb_log.records import HISTORY, add_record, read_row, split_record
from caduceus.wandb_log.segments import Row, Segment
from caduceus.wandb_log.wire import WireError, decode
from caduceus.wandb_log.writing import EXIT


def read_log(path: Path) -> Segment:
    """Read a `.wandb` file up to its last complete record.

    A log that is cut off or damaged is read as far as possible; `Segment.damage` counts what is
    lost.

    Raises:
        LogError: the file is missing or isn't a `.wandb` log of version 0.
    """
    segment = Segment(path)
    segment.history.extend(iter_rows(segment))
    return segment


def iter_rows(segment: Segment) -> Iterator[Row]:
    """Yield the rows of the log at `segment.path`, and add its other records to `segment`.

    Raises:
        LogError: the file is missing or isn't a `.wandb` log of version 0.
    """
    with open_log(segment.path) as stream:
        reader = RecordReader(stream, segment.damage)
        for payload in reader.read():
            if (row := add_record(segment, payload)) is not None:
                yield row
        reader.finish()


def iter_contents(segment: Segment) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of each readable record; add all but the rows to `segment`.

    Raises:
        LogError: the file is missing or isn't a `.wandb` log of version 0.
    """
    yield from filter(None, follow_contents(segment, lambda: True))


def exit_code(path: Path) -> int | None:
    """Return the exit code in a log's record of the end; None if it has none.

    Other records aren't decoded.

    Raises:
        LogError: the file is missing or isn't a `.wandb` log of version 0.
    """
    with open_log(path) as stream:
        for payload in RecordReader(stream, Damage()).read():
            with suppress(WireError):
                kind, content = split_record(payload)
                if kind == EXIT:
                    code: int = decode("Exit", content).exit_code
                    return code
    return None


def follow_contents(
    segment: Segment, is_over: Callable[[], bool], interval_s: float = 0.5
) -> Iterator[tuple[int, bytes] | None]:
    """Yield kind and content of each record of a growing log, and None when there is nothing new.

    Ends with the record of the run's end, or when `is_over` returns True and all is read.

    Args:
        segment: its `path` is read; all records but the rows are added to it.
        is_over: whether the process that writes the log has ended.
        interval_s: how long to wait when there is nothing new, in seconds.

    Raises:
        LogError: the file is missing or isn't a `.wandb` log of version 0.
    """
    with open_log(segment.path) as stream:
        reader = RecordReader(stream, segment.damage)
        was_over = False
        while not was_over:
            was_over = is_over()  # before reading, so that what is written last is read too
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
    """Read a log that is being written, each time from where the last call ended."""

    def __init__(self, path: Path):
        self._stream = path.open("rb")
        self._reader = RecordReader(self._stream, Damage())
        self._last_step = -1

    def rows(self) -> Iterator[Row]:
        """Yield the rows that were added since the last call."""
        for payload in self._reader.read():
            with suppress(WireError):
                kind, content = split_record(payload)
                if kind == HISTORY:
                    yield read_row(content)

    def last_step(self) -> int:
        """Return the step of the last row in the file; -1 before the first."""
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

    Waits for a file that doesn't exist yet. Ends with the record of the run's end, or when
    `is_over` returns True and all is read.

    Args:
        path: the `.wandb` file.
        is_over: whether the process that writes the log has ended.
        interval_s: how long to wait when there is nothing new, in seconds.

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
            was_over = is_over()  # before reading, so that what is written last is read too
            for payload in reader.read():
                if (row := add_record(segment, payload)) is not None:
                    yield row
            if was_over:
                return
            if segment.exit_code is None:
                time.sleep(interval_s)
