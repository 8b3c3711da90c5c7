"""Writes `.wandb` files by the format's description, for tests of the reader."""

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence

HEADER = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
BLOCK = 32768

Keys = tuple[str, ...]  # of a nested metric, from the outermost


def framed(records: Iterable[bytes]) -> bytes:
    """A log that holds these records."""
    log = bytearray(HEADER)
    for record in records:
        rest, is_first = record, True
        while is_first or rest:
            room = BLOCK - len(log) % BLOCK
            if room < 7:
                log += bytes(room)
                room = BLOCK
            part, rest = rest[: room - 7], rest[room - 7 :]
            kind = {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}[
                is_first, not rest
            ]
            is_first = False
            checksum = zlib.crc32(bytes([kind]) + part)
            log += struct.pack("<IHB", checksum, len(part), kind) + part
    return bytes(log)


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def item(keys: Keys, text: str, extra: bytes = b"") -> bytes:
    """An item with nested keys, or with the plain key "plain"."""
    named = field(1, "plain") if keys == ("plain",) else b"".join(field(2, k) for k in keys)
    return named + extra + field(16, text)


def record(number: int, kind: int, content: bytes) -> bytes:
    return field(1, number) + field(kind, content) if number else field(kind, content)


def history(number: int, row: Mapping[Keys, str], extra: bytes = b"") -> bytes:
    """A row; `extra` goes into every item, between key and value."""
    items = b"".join(field(1, item(keys, text, extra)) for keys, text in row.items())
    step = int(row.get(("_step",), "0"))
    return record(number, 2, items + field(2, field(1, step) if step else b""))


def summary(number: int, values: Mapping[Keys, str], removed: Sequence[Keys] = ()) -> bytes:
    updates = b"".join(field(1, item(keys, text)) for keys, text in values.items())
    removals = b"".join(field(2, b"".join(field(2, key) for key in keys)) for keys in removed)
    return record(number, 3, updates + removals)
