"""The layers of a file: its bytes, and whatever is compressed, encoded or hidden in them.

Compressed: gzip, bzip2, xz, LZMA, Zstandard, LZ4, zlib, zip with all that is one (docx, npz, pt),
tar, Parquet, Arrow, MATLAB, HDF5 by zlib. Encoded: text of two or four bytes per letter, escapes,
base64, tags. In a PDF: its streams and strings; in a PNG: its compressed texts; in a GIF: comments;
in W&B's log: records that lie in several blocks.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from caduceus.paper.anonymity.closed import is_surely_closed
from caduceus.paper.anonymity.formats import ClosedError, contents

_DEPTH = 6  # of what is compressed in what is compressed
_PART_BYTES, _OVERLAP = 1 << 26, 1 << 12  # of a file, whose escapes are decoded by parts
_MARKS = (  # of the order of bytes; that of UTF-32 begins as that of UTF-16
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_PADDING = re.compile(rb"\0{4,}")  # between texts
_ESCAPE = re.compile(
    rb"\\u00([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})|%([0-9A-Fa-f]{2})|=([0-9A-F]{2})|\\([0-3][0-7]{2})"
    rb"|\\'([0-9a-f]{2})"
)
_UNICODE = re.compile(rb"\\u([0-9A-Fa-f]{4})")
_TAG = re.compile(rb"<[^<>]{1,1000}>")
_ENTITY = re.compile(rb"&#?[0-9A-Za-z]{2,8};")
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/_-]{16,}(?:\\n|\r?\n[ \t]*)?)*[A-Za-z0-9+/_-]{16,}={0,2}")


@dataclass(frozen=True)
class Layer:
    """Bytes that may be text, and where in the file they are; empty for the file itself."""

    place: str
    data: bytes


def layers(data: bytes, place: str = "", depth: int = _DEPTH) -> Iterator[Layer]:
    """Yield the layers of a file or a part of one, itself first.

    Args:
        data: its bytes.
        place: of the part in the file.
        depth: how many layers below this one are looked into.

    Raises:
        ClosedError: something in it is encrypted, damaged, or too large to be looked into.
    """
    yield Layer(place, data)
    if depth == 0:
        if next(contents(data), None):
            raise ClosedError(f"packed more than {_DEPTH} times")
        return
    if b"\0" in data:
        yield Layer(place, _narrowed(data))
    for where, inner in contents(data):
        yield from layers(inner, f"{place}, {where}" if place else where, depth - 1)
    for part in _parts(data):
        unescaped = _unescaped(part)
        if unescaped != part:
            yield Layer(place, _narrowed(unescaped))
        if b"</" in unescaped:
            yield Layer(place, _TAG.sub(b"", unescaped))
    yield from _encoded(data, place, depth)


def _parts(data: bytes) -> Iterator[bytes]:
    """Yield parts of a large file, which overlap by more than a name's length."""
    for start in range(0, max(1, len(data) - _OVERLAP), _PART_BYTES):
        yield data[start : start + _PART_BYTES + _OVERLAP]


def _narrowed(data: bytes) -> bytes:
    """Return text of two or four bytes per letter as UTF-8, or as if letters had one byte."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace").encode(errors="replace")
    return _PADDING.sub(b"\n", data).replace(b"\0", b"")


def _encoded(data: bytes, place: str, depth: int) -> Iterator[Layer]:
    """Yield the layers of what base64 encodes in a text."""
    line, at = 1, 0
    for found in _BASE64.finditer(data):
        line, at = line + data.count(b"\n", at, found.start()), found.start()
        if decoded := _decoded(found[0]):
            where = f"base64 in line {line}"
            yield from _quietly(decoded, f"{place}, {where}" if place else where, depth - 1)


def _quietly(data: bytes, place: str, depth: int) -> Iterator[Layer]:
    """Yield the layers of bytes that only may be a file, such as decoded base64."""
    try:
        yield from layers(data, place, max(depth, 0))
    except ClosedError:
        if is_surely_closed(data):
            raise


def _unescaped(data: bytes) -> bytes:
    """Return text without the escapes of JSON, Python, addresses, mails, PDF and HTML."""
    if b"\\" in data or b"%" in data or b"=" in data:
        data = _ESCAPE.sub(_byte, data)
        data = _UNICODE.sub(lambda found: _utf8(int(found[1], 16)), data)
    if b"&" in data:
        data = _ENTITY.sub(
            lambda found: html.unescape(found[0].decode()).encode(errors="replace"), data
        )
    return data


def _byte(found: "re.Match[bytes]") -> bytes:
    if found[1]:
        return _utf8(int(found[1], 16))
    digits = found[2] or found[3] or found[4] or found[6]
    return bytes([int(digits, 16) if digits else int(found[5], 8)])


def _utf8(number: int) -> bytes:
    return chr(number).encode(errors="replace")


def _decoded(text: bytes) -> bytes:
    """Return what base64 stands for; nothing if it is too short to be one."""
    digits = re.sub(rb"\\n|\s", b"", text).rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(digits[: len(digits) - (len(digits) % 4 == 1)] + b"==")
    except (ValueError, binascii.Error):
        return b""
