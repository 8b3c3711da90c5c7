"""The frame of a `.wandb` file: a header, and records cut into chunks inside 32 KiB blocks.

file   = header block*
header = ":W&B", u16 magic 0xBEE1, u8 version 0           (7 bytes, inside the first block)
block  = 32,768 bytes of chunks; a rest of fewer than 7 bytes is zero
chunk  = u32 CRC-32 of type and payload, u16 length, u8 type, payload   (little-endian)
record = FULL | FIRST MIDDLE* LAST
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK = 32768
CHUNK_HEADER = struct.Struct("<IHB")
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
RECORD_LIMIT = 1 << 28  # bytes; W&B sends nothing larger, so a longer one is taken for damage

_HEADER = struct.Struct("<4sHB")
_IDENT, _MAGIC, _VERSION = b":W&B", 0xBEE1, 0
HEADER = _HEADER.pack(_IDENT, _MAGIC, _VERSION)


class LogError(Exception):
    """The file isn't a `.wandb` log that can be read."""


@dataclass
class Damage:
    """What could not be read of a log.

    `corrupt_blocks` counts blocks with a checksum that doesn't fit, from which the rest was
    skipped; `unreadable_records` counts whole records that aren't what W&B writes; `lost_records`
    counts the records before the last readable one that are missing by their numbers; `is_cut_off`
    says that the file ends inside a record, as a killed writer leaves it.
    """

    corrupt_blocks: int = 0
    unreadable_records: int = 0
    lost_records: int = 0
    is_cut_off: bool = False

    @property
    def is_corrupt(self) -> bool:
        """Something is lost that the writer had written whole."""
        return bool(self.corrupt_blocks or self.unreadable_records or self.lost_records)


@contextmanager
def open_log(path: Path) -> Iterator[BinaryIO]:
    """The log at `path`, open for reading; whatever goes wrong meanwhile names it.

    Raises:
        LogError: it can't be read, or isn't a log.
    """
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise LogError(f"{path}: can't be read: {error.strerror}") from error
    except LogError as error:
        raise LogError(f"{path}: {error}") from None


def check_header(header: bytes) -> None:
    """Raise LogError unless `header`, the first 7 bytes of a file, is that of a log."""
    if len(header) < len(HEADER):
        raise LogError("the file is too short to be a .wandb log")
    ident, magic, version = _HEADER.unpack_from(header)
    if ident != _IDENT or magic != _MAGIC:
        raise LogError("the file isn't a .wandb log")
    if version != _VERSION:
        raise LogError(f"the log has version {version}; this reader knows version {_VERSION}")


def is_empty(path: Path) -> bool:
    """Whether nothing has come to a log, not even its header, as it happens on a full disk.

    A power cut may leave zeros in place of it.
    """
    with path.open("rb") as stream:
        header = stream.read(len(HEADER))
    return len(header) < len(HEADER) or not any(header)


class RecordReader:
    """Reads the records of a log one after the other; a log that grows can be read on.

    Args:
        stream: the log, open for reading.
        damage: takes what can't be read.
    """

    def __init__(self, stream: BinaryIO, damage: Damage):
        self._stream = stream
        self._damage = damage
        self.position = 0  # of the next chunk
        self._parts: list[bytes] = []  # of a record that has begun
        self._length = 0  # of these parts, bytes
        self._is_inside = False  # a chunk or record has begun that isn't there as a whole

    def read(self) -> Iterator[bytes]:
        """The payload of each further record that is there as a whole.

        Raises:
            LogError: the stream doesn't start as a `.wandb` log of version 0 does.
        """
        if self.position == 0:
            self._stream.seek(0)
            check_header(self._stream.read(len(HEADER)))
            self.position = len(HEADER)
        while True:
            start = self.position
            room = BLOCK - start % BLOCK
            self._stream.seek(start)
            yield from self._read_block(self._stream.read(room), room)
            if self.position < start + room:  # the rest of the block isn't there
                break
        self._is_inside = self._is_inside or bool(self._parts)

    def finish(self) -> None:
        """Nothing more will be written: a record that has begun is lost."""
        self._damage.is_cut_off = self._is_inside

    def _read_block(self, block: bytes, room: int) -> Iterator[bytes]:
        """The records that end in `block`, the part that is there of `room` bytes."""
        begin, at, size = self.position, 0, len(block)
        self._is_inside = False
        while room - at >= CHUNK_HEADER.size:
            start = at + CHUNK_HEADER.size
            if start > size:
                self._is_inside = size > at
                self.position = begin + at
                return
            checksum, length, kind = CHUNK_HEADER.unpack_from(block, at)
            end = start + length
            if size < end <= room:
                self._is_inside = True
                self.position = begin + at
                return
            payload = block[start:end]
            is_sound = (
                end <= room
                and FULL <= kind <= LAST
                and zlib.crc32(payload, zlib.crc32(block[start - 1 : start])) == checksum
            )
            if not is_sound:
                self._damage.corrupt_blocks += 1
                self._parts = []
                break
            at = end
            self.position = begin + at  # current, as the caller may stop at any record
            if (record := self._record(kind, payload)) is not None:
                yield record
        self.position = begin + room

    def _record(self, kind: int, payload: bytes) -> bytes | None:
        """The record that `payload` completes, if it does."""
        if kind == FULL:
            self._parts = []
            return payload
        if kind == FIRST:
            self._parts, self._length = [payload], len(payload)
        elif self._parts:  # a middle or last part whose first one was lost is lost with it
            self._parts.append(payload)
            self._length += len(payload)
            if self._length > RECORD_LIMIT:
                self._damage.unreadable_records += 1
                self._parts = []
                return None
            if kind == LAST:
                record, self._parts = b"".join(self._parts), []
                return record
        return None
