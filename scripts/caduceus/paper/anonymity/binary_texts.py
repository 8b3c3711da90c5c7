"""Words in binary files.

In a pickle, a W&B log or a checkpoint a text's length stands before it, and the bytes around it may
be those of letters, so that a word's beginning and end aren't where other bytes than letters are.
Among the weights of a checkpoint short words occur by chance.
"""

import re
from collections.abc import Iterator

_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
_FARTHEST = 256  # bytes from a text's start to a name in it
_NEAR = 64  # bytes around a name that tell binary from text
_LONG = 5  # letters of a word that hardly occurs by chance
_RUN = 12  # printable bytes in which a shorter word is one of a text
_PRINTABLE = re.compile(rb"[\t\n\r\x20-\x7e]*")
_OPENING, _CLOSING = b"/=:@\"'\\", b"/\"'@,;}:\\\0"


def is_counted(data: bytes, start: int, end: int) -> bool:
    """Whether a part of a binary file is a word of a text whose length stands before it.

    Args:
        data: the file's bytes.
        start: where the part begins.
        end: where it ends.
    """
    if not _is_binary(data, start, end):
        return False
    for first in range(start, max(0, start - _FARTHEST), -1):
        if first < start and _CONTROL.match(data, first):
            return False
        if first < start and _is_letter(data, start - 1):
            return False
        for size in _sizes(data, first, end - start < _LONG):
            last = first + size
            is_word = last == end or (end < last <= len(data) and not _is_letter(data, end))
            if is_word and _is_text(data[first:last]):
                return True
    return False


def is_by_chance(data: bytes, start: int, end: int) -> bool:
    """Whether a word in a binary file is short, and nothing around it is of a text.

    Args:
        data: the file's bytes.
        start: where the word begins.
        end: where it ends.
    """
    if end - start >= _LONG or not _is_binary(data, start, end):
        return False
    before, after = data[start - 1 : start], data[end : end + 1]
    if (before == b"\0" == after) or (before in _OPENING and after in _CLOSING):
        return False
    around = data[max(0, start - _RUN) : start][::-1], data[end : end + _RUN]
    printable = sum(len(found[0]) for side in around if (found := _PRINTABLE.match(side)))
    return printable + end - start < _RUN and not is_counted(data, start, end)


def _is_binary(data: bytes, start: int, end: int) -> bool:
    return _CONTROL.search(data, max(0, start - _NEAR), end + _NEAR) is not None


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(data) is None


def _sizes(data: bytes, first: int, is_short: bool) -> Iterator[int]:
    """Yield the lengths that may stand before a byte, that of a short word only after a mark."""
    for width in (1, 2, 4):
        counted = data[first - width : first]
        if width == 1 and is_short and not _is_mark(data[max(0, first - 2)]):
            continue
        if len(counted) == width and not data[max(0, first - 2) : first].isalnum():
            yield int.from_bytes(counted, "little")
            yield int.from_bytes(counted, "big")
    if first > 1 and data[first - 1] < 0x80 <= data[first - 2]:  # in pieces of 7 bits
        yield (data[first - 2] & 0x7F) | data[first - 1] << 7


def _is_mark(byte: int) -> bool:
    """Whether a byte says in a pickle, MessagePack or a protocol buffer that a text follows."""
    return byte in (0x8C, 0x55, 0xD9) or byte & 7 == 2


def _is_letter(data: bytes, at: int) -> bool:
    return data[at : at + 1].isalnum()
