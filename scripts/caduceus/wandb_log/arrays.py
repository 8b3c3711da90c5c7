"""Arrays of bytes, from which numbers are read at many positions at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Zero bytes after a buffer. Readers load up to 8 bytes from any position before they know whether
# these belong to the record; with the padding they stay in bounds at the end, too.
_PAD = 16


def padded(*parts: bytes | Bytes) -> Bytes:
    """Return the parts, concatenated, with `_PAD` zero bytes after them."""
    arrays = [np.frombuffer(p, np.uint8) if isinstance(p, bytes) else p for p in parts]
    return np.concatenate([*arrays, np.zeros(_PAD, np.uint8)])


def words_of(text: Bytes, kind: str) -> NDArray[Any]:
    """Return `text` as overlapping numbers of type `kind`: entry i is read from byte i on.

    A view, not a copy: consecutive entries lie one byte apart (`strides=(1,)`).
    """
    size = np.dtype(kind).itemsize
    return np.ndarray((len(text) - size + 1,), kind, buffer=text, strides=(1,))


def read_varint(text: Bytes, position: Ints) -> tuple[Ints, Ints]:
    """Return the varint at each position, and the position after each.

    All varints are read together, one byte of each per round; `more` holds the indices of those
    that aren't complete yet. A varint of more than 4 bytes (at least 2^28, which no length in a log
    reaches: see `framing.RECORD_LIMIT`) gives -1.
    """
    byte = text[position].astype(np.int64)
    value, after = byte & 127, position + 1
    more = np.flatnonzero(byte >= 128)
    shift = 7
    while len(more):
        if shift > 21:  # the 5th byte
            value[more] = -1
            break
        byte = text[after[more]].astype(np.int64)
        value[more] |= (byte & 127) << shift
        after[more] += 1
        more = more[byte >= 128]
        shift += 7
    return value, after
