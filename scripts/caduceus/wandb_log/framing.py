"""The framing of a `.wandb` file: a header, and records cut into chunks inside 32 KiB blocks.

file   = header block*
header = ":W&B", u16 magic 0xBEE1, u8 version 0           (7 bytes, inside the first block)
block  = 32,768 bytes of chunks; a rest of fewer than 7 bytes is zero
chunk  = u32 CRC-32 of type and payload, u16 length, u8 type, payload   (little-endian)
record = FULL | FIRST MIDDLE* LAST

It is LevelDB's log format with a header of W&B's and plain CRC-32 (LevelDB masks CRC-32C). Source:
core/pkg/leveldb/record.go in github.com/wandb/wandb.
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
RECORD_LIMIT = 1 << 28  # bytes; W&B writes no larger record, so a larger one is damage

_HEADER = struct.Struct("<4sHB")
_IDENT, _MAGIC, _VERSION = b":W&B", 0xBEE1, 0
HEADER = _HEADER.pack(_IDENT, _MAGIC, _VERSION)


class LogError(Exception):
    """A file can't be read, or isn't a `.wandb` log of version 0."""


@dataclass
class Damage:
    """The parts of a log that could not be read.

    Attributes:
        corrupt_blocks: blocks with a wrong checksum, of which the rest was skipped.
        unreadable_records: complete records with contents that W&B doesn't write.
        lost_records: gaps in the numbers of the records, up to the last readable one.
        is_cut_off: whether the file ends inside a record, as a killed process leaves it.
    """

    corrupt_blocks: int = 0
    unreadable_records: int = 0
    lost_records: int = 0
    is_cut_off: bool = False

    @property
    def is_corrupt(self) -> bool:
        """Whether a record is lost that had been written completely."""
        return bool(self.corrupt_blocks or self.unreadable_records or self.lost_records)


@contextmanager
def open_log(path: Path) -> Iterator[BinaryIO]:
    """Open the log at `path`; an error inside the `with` block is raised with the path.

    Raises:
        LogError: the file can't be read, or isn't a log.
    """
    if path.is_fifo() or path.is_char_device():  # to open or to read it might never end
        raise LogError(f"{path}: the file isn't a .wandb log")
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise LogError(f"{path}: can't be read: {error.strerror}") from error
    except LogError as error:
        raise LogError(f"{path}: {error}") from None


def check_header(header: bytes) -> None:
    """Raise LogError unless `header`, the first 7 bytes of a file, are a log's header."""
    if len(header) < len(HEADER):
        raise LogError("the file is too short to be a .wandb log")
    ident, magic, version = _HEADER.unpack_from(header)
    if ident != _IDENT or magic != _MAGIC:
        raise LogError("the file isn't a .wandb log")
    if version != _VERSION:
        raise LogError(f"the log has version {version}; this reader knows version {_VERSION}")


def is_empty(path: Path) -> bool:
    """Whether not even the header of a log was written, as happens on a full disk.

    A power cut can leave zeros in place of the header.
    """
    with path.open("rb") as stream:
        header = stream.read(len(HEADER))
    return len(header) < len(HEADER) or not any(header)


class RecordReader:
    """Read the records of a log in order, and continue when more has been written.

    Args:
        stream: the log, open for reading.
        damage: counts what can't be read.
    """

    def __init__(self, stream: BinaryIO, damage: Damage):
        self._stream = stream
        self._damage = damage
        self.position = 0  # of the next chunk
        self._parts: list[bytes] = []  # payloads of a record that isn't complete yet
        self._length = 0  # their length together, in bytes
        self._is_inside = False  # whether the data ends inside a chunk or a record

    def read(self) -> Iterator[bytes]:
        """Yield the payload of each record that was completed since the last call.

        Raises:
            LogError: the stream doesn't start with the header of a `.wandb` log of version 0.
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
            if self.position < start + room:  # the rest of the block isn't written yet
                break
        self._is_inside = self._is_inside or bool(self._parts)

    def finish(self) -> None:
        """Note that nothing more will be written, so that an incomplete record is lost."""
        self._damage.is_cut_off = self._is_inside

    def _read_block(self, block: bytes, room: int) -> Iterator[bytes]:
        """Yield the records that end in `block`: the rest of a block, as far as it is written.

        Args:
            block: the bytes from `position` on, at most `room` of them.
            room: the number of bytes from `position` to the end of the block.
        """
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
            is_intact = (
                end <= room
                and FULL <= kind <= LAST
                and zlib.crc32(payload, zlib.crc32(block[start - 1 : start])) == checksum
            )
            if not is_intact:
                # Its length can't be trusted, so the next chunk is looked for in the next block.
                self._damage.corrupt_blocks += 1
                self._parts = []
                break
            at = end
            self.position = begin + at  # set before `yield`: the caller may stop at any record
            if (record := self._add_chunk(kind, payload)) is not None:
                yield record
        self.position = begin + room

    def _add_chunk(self, kind: int, payload: bytes) -> bytes | None:
        """Take a chunk, and return the record that it completes, if it does."""
        if kind == FULL:
            self._parts = []
            return payload
        if kind == FIRST:
            self._parts, self._length = [payload], len(payload)
        elif self._parts:  # otherwise the first chunk of this record was lost, and so is this one
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
