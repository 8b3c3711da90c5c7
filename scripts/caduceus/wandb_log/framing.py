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
from dataclasses import dataclass

_BLOCK = 32768
_IDENT = b":W&B"
_FILE_HEADER = struct.Struct("<4sHB")
_MAGIC, _VERSION = 0xBEE1, 0
_CHUNK_HEADER = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


class LogError(Exception):
    """The file isn't a `.wandb` log that can be read."""


@dataclass
class Damage:
    """What could not be read of a log.

    `corrupt_blocks` counts blocks with a checksum that doesn't fit, from which the rest was
    skipped; `unreadable_records` counts whole records that aren't what W&B writes; `is_cut_off`
    says that the file ends inside a record, as a killed writer leaves it.
    """

    corrupt_blocks: int = 0
    unreadable_records: int = 0
    is_cut_off: bool = False


def iter_records(data: bytes, damage: Damage) -> Iterator[bytes]:
    """The payload of each whole record, in order; what is lost is added to `damage`.

    Raises:
        LogError: `data` doesn't start as a `.wandb` log of version 0 does.
    """
    if len(data) < _FILE_HEADER.size:
        raise LogError("the file is too short to be a .wandb log")
    ident, magic, version = _FILE_HEADER.unpack_from(data)
    if ident != _IDENT or magic != _MAGIC:
        raise LogError("the file isn't a .wandb log")
    if version != _VERSION:
        raise LogError(f"the log has version {version}; this reader knows version {_VERSION}")
    parts: list[bytes] = []  # of a record that has begun
    position = _FILE_HEADER.size
    size = len(data)
    while position < size:
        block_end = position - position % _BLOCK + _BLOCK
        if block_end - position < _CHUNK_HEADER.size:
            position = block_end
            continue
        if position + _CHUNK_HEADER.size > size:
            damage.is_cut_off = True
            return
        checksum, length, kind = _CHUNK_HEADER.unpack_from(data, position)
        start = position + _CHUNK_HEADER.size
        end = start + length
        if end > size and end <= block_end:
            damage.is_cut_off = True
            return
        payload = data[start:end]
        is_sound = (
            end <= block_end
            and _FULL <= kind <= _LAST
            and zlib.crc32(payload, zlib.crc32(data[start - 1 : start])) == checksum
        )
        if not is_sound:
            damage.corrupt_blocks += 1
            parts.clear()
            position = block_end
            continue
        position = end
        if kind == _FULL:
            parts.clear()
            yield payload
        elif kind == _FIRST:
            parts = [payload]
        elif parts:  # a middle or last part whose first one was lost is lost with it
            parts.append(payload)
            if kind == _LAST:
                yield b"".join(parts)
                parts = []
    if parts:
        damage.is_cut_off = True
