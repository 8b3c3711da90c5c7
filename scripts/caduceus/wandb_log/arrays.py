"""The bytes of a log as arrays: numbers at any byte, many at a time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_PAD = 16  # bytes behind a buffer, so that eight bytes can be read at its every byte


def padded(*parts: bytes | Bytes) -> Bytes:
    """The parts one behind the other, with room behind them."""
    arrays = [np.frombuffer(p, np.uint8) if isinstance(p, bytes) else p for p in parts]
    return np.concatenate([*arrays, np.zeros(_PAD, np.uint8)])


def words_of(text: Bytes, kind: str) -> NDArray[Any]:
    """`text` as little-endian numbers, one that begins at each byte."""
    size = np.dtype(kind).itemsize
    return np.ndarray((len(text) - size + 1,), kind, buffer=text, strides=(1,))


def read_varint(text: Bytes, position: Ints) -> tuple[Ints, Ints]:
    """The number at each position, and the positions behind; more than 4 bytes give -1."""
    byte = text[position].astype(np.int64)
    value, after = byte & 127, position + 1
    more = np.flatnonzero(byte >= 128)
    shift = 7
    while len(more):
        if shift > 21:
            value[more] = -1
            break
        byte = text[after[more]].astype(np.int64)
        value[more] |= (byte & 127) << shift
        after[more] += 1
        more = more[byte >= 128]
        shift += 7
    return value, after
