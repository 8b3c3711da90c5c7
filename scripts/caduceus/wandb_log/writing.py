"""Write a log, record by record."""

import os
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from caduceus.wandb_log.framing import (
    BLOCK,
    CHUNK_HEADER,
    FIRST,
    FULL,
    HEADER,
    LAST,
    MIDDLE,
    Damage,
    RecordReader,
    open_log,
)
from caduceus.wandb_log.records import record_number
from caduceus.wandb_log.wire import encode, write_bytes, write_number

# Kinds of a record: field numbers of `Record` in wandb/proto/wandb_internal.proto.
CONFIG, FILES, STATS, ARTIFACT, RUN, EXIT, LOG_HEADER, ENVIRONMENT = 5, 6, 7, 8, 17, 18, 21, 26


class LogWriter:
    """Append records to a `.wandb` file, which may be read meanwhile.

    An existing file is cut off after its last complete record and continued there. `last_record` is
    the number of the last record; 0 in a new file.

    Args:
        path: the file.

    Raises:
        LogError: an existing file isn't a log.
    """

    def __init__(self, path: Path):
        self.last_record = 0
        self._position = len(HEADER)
        if path.exists() and path.stat().st_size > len(HEADER):
            with open_log(path) as stream:
                reader = RecordReader(stream, Damage())
                for payload in reader.read():
                    self.last_record = record_number(payload)
                    self._position = reader.position
            os.truncate(path, self._position)
        else:
            path.write_bytes(HEADER)
        self._stream = path.open("ab")

    def __enter__(self) -> "LogWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def append(self, kind: int, content: bytes) -> None:
        """Append a record of this kind."""
        self.last_record += 1
        framed = _frame(write_record(self.last_record, kind, content), self._position)
        self._stream.write(framed)
        self._position += len(framed)

    def flush(self) -> None:
        """Make all that was appended visible to readers."""
        self._stream.flush()


def _frame(record: bytes, position: int) -> bytes:
    """Return a record as chunks, given the position in the file at which it will stand."""
    out = bytearray()
    rest, is_first = record, True
    while is_first or rest:
        room = BLOCK - (position + len(out)) % BLOCK
        if room < CHUNK_HEADER.size:  # no header fits into the rest of the block: fill with zeros
            out += bytes(room)
            room = BLOCK
        payload, rest = rest[: room - CHUNK_HEADER.size], rest[room - CHUNK_HEADER.size :]
        unfinished, finished = (FIRST, FULL) if is_first else (MIDDLE, LAST)
        kind = unfinished if rest else finished
        is_first = False
        checksum = zlib.crc32(bytes([kind]) + payload)
        out += CHUNK_HEADER.pack(checksum, len(payload), kind) + payload
    return bytes(out)


def write_record(number: int, kind: int, content: bytes) -> bytes:
    """Return a record: its number and its content, in the field of its kind."""
    return write_number(1, number) + write_bytes(kind, content)


def write_items(values: Iterable[tuple[Sequence[str], str]]) -> bytes:
    """Return the content of a history, summary or config record.

    Args:
        values: the items: nested keys, outermost first, and the value as JSON text.
    """
    out = b""
    for keys, text in values:
        out += write_bytes(1, _item_keys(tuple(keys)) + write_bytes(16, text.encode()))
    return out


@lru_cache(maxsize=10_000)
def _item_keys(keys: tuple[str, ...]) -> bytes:
    return encode("Item", {"nested_key": keys})
