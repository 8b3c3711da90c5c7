"""The contents of files as streams of bytes, also of what is compressed in them."""

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO, Any

_CHUNK = 1 << 20  # bytes
_OPENERS: dict[bytes, Callable[[Path], Any]] = {  # by the first bytes of a file
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_ZIPPED = b"PK\x03\x04"  # also .npz, .pt, .docx
# zipfile raises RuntimeError and NotImplementedError for encrypted entries.
_BROKEN = (
    *(OSError, EOFError, ValueError, RuntimeError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)


class IncompleteError(Exception):
    """A file can't be read to its end: it is damaged, encrypted or too large."""


def streams(path: Path, limit: int) -> Iterator[Iterator[bytes]]:
    """Yield the content of a file, then what is compressed in it: of a zip, each of its entries.

    What is compressed twice is read once.

    Args:
        path: the file.
        limit: the number of bytes that are read of the file, and of all that is compressed in it.

    Raises:
        IncompleteError: in one of the streams, where it ends too early.
    """
    with path.open("rb") as stream:
        head = stream.read(8)
    yield _chunks(lambda: path.open("rb"), [limit])
    left = [limit]
    opener = next((open_ for magic, open_ in _OPENERS.items() if head.startswith(magic)), None)
    if opener:
        yield _chunks(lambda: opener(path), left)
    elif head.startswith(_ZIPPED):
        yield from _entries(path, left)


def _entries(path: Path, left: list[int]) -> Iterator[Iterator[bytes]]:
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN:
        yield _failing()
        return
    with closing(archive):
        for info in archive.infolist():
            yield _chunks(partial(archive.open, info), left)


def _chunks(open_: Callable[[], IO[bytes]], left: list[int]) -> Iterator[bytes]:
    """Yield what is read; `left` holds the number of bytes that may be."""
    try:
        with open_() as stream:
            while chunk := stream.read(_CHUNK):
                left[0] -= len(chunk)
                if left[0] < 0:
                    raise IncompleteError
                yield chunk
    except _BROKEN as error:
        raise IncompleteError from error


def _failing() -> Iterator[bytes]:
    raise IncompleteError
    yield b""
