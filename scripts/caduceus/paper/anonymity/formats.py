"""What is compressed or hidden in files, by their formats."""

import base64
import binascii
import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from caduceus.io.names import quoted
from caduceus.paper.anonymity import closed
from caduceus.wandb_log.framing import Damage, LogError, RecordReader

if TYPE_CHECKING:
    import pyarrow

MOST_BYTES = 1 << 30  # of a file, or of what is compressed in it
_BROKEN = (
    *(OSError, EOFError, ValueError, RuntimeError, NotImplementedError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, binascii.Error),
)
_OPENERS: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzip", lambda data: _bounded(gzip.GzipFile(fileobj=io.BytesIO(data)))),
    b"BZh": ("bzip2", lambda data: _bounded(bz2.BZ2File(io.BytesIO(data)))),
    b"\xfd7zXZ\x00": ("xz", lambda data: _bounded(_xz(data))),
    b"\x28\xb5\x2f\xfd": ("Zstandard", lambda data: _of_arrow(data, "zstd")),
    b"\x04\x22\x4d\x18": ("LZ4", lambda data: _of_arrow(data, "lz4")),
}
_LZMA = b"\x5d\0\0"
_ZIP_END, _ZIP_END_BYTES = b"PK\x05\x06", 1 << 16
_HAVE_ZLIB = (b"\x89HDF\r\n\x1a\n", b"MATLAB")  # parts of it anywhere in the file
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_PNG = b"\x89PNG\r\n\x1a\n"
_PDF_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
_PDF_HEX = re.compile(rb"<([0-9A-Fa-f\s]{4,})>")


class ClosedError(Exception):
    """A part of a file can't be read; the message says where and why."""


def contents(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each part of a file that is compressed or hidden, and where it is.

    Args:
        data: the file's bytes, which tell its format.

    Raises:
        ClosedError: a part is encrypted, damaged, or too large to be looked into.
    """
    if why := closed.reason(data):
        raise ClosedError(why)
    opener = next((each for magic, each in _OPENERS.items() if data.startswith(magic)), None)
    if opener:
        kind, unpacked = opener
        try:
            yield f"in {kind}", unpacked(data)
        except _BROKEN as error:
            raise ClosedError(f"{kind} that can't be unpacked ({error})") from None
    elif data.startswith(b"PK\x03\x04"):
        yield from _zipped(data)
    elif data.startswith(b"%PDF-"):
        yield from _pdf(data)
    elif data.startswith(_PNG):
        yield from _png(data)
    elif data.startswith(b":W&B"):
        yield from _wandb_log(data)
    elif data.startswith(b"GIF8"):
        yield from _gif(data)
    elif _is_tar(data):
        yield from _tar(data)
    elif data.startswith(b"\x93NUMPY"):
        yield "NumPy", _array(data)
    elif data.startswith(b"PAR1"):
        yield from _table("Parquet", data)
    elif data.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        yield from _table("Arrow", data)
    elif data.startswith(_ZLIB) and (inflated := _inflated(data)):
        yield "in zlib", inflated
    elif data.startswith(_LZMA) and (content := _lzma(data)):
        yield "in LZMA", content
    elif any(magic in data[:1024] for magic in _HAVE_ZLIB):
        yield from _with_zlib(data)
    elif _ZIP_END in data[-_ZIP_END_BYTES:] and zipfile.is_zipfile(io.BytesIO(data)):
        yield from _zipped(data)  # after a program that unpacks it


def _bounded(stream: io.BufferedIOBase) -> bytes:
    with stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES >> 30} GB")
    return data


def _xz(data: bytes) -> lzma.LZMAFile:
    return lzma.LZMAFile(io.BytesIO(data))


def _lzma(data: bytes) -> bytes:
    """Return the content of the format before xz, which random bytes may begin as; else nothing."""
    try:
        return _bounded(lzma.LZMAFile(io.BytesIO(data), format=lzma.FORMAT_ALONE))
    except _BROKEN:
        return b""


def _of_arrow(data: bytes, kind: str) -> bytes:
    import pyarrow

    with pyarrow.input_stream(pyarrow.BufferReader(data), compression=kind) as stream:
        content: bytes = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES >> 30} GB")
    return content


def _zipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _BROKEN as error:
        raise ClosedError(f"a zip that can't be read ({error})") from None
    with archive:
        if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
            raise ClosedError(f"a zip of more than {MOST_BYTES >> 30} GB")
        notes = [archive.comment, *(info.comment for info in archive.infolist())]
        yield "zip comments", b"\n".join(notes)
        for info in archive.infolist():
            yield f"{quoted(info.filename)} in it", b"" if info.is_dir() else _entry(archive, info)


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(info)
    except _BROKEN as error:
        raise ClosedError(f"{quoted(info.filename)} in it can't be read ({error})") from None


def _pdf(data: bytes) -> Iterator[tuple[str, bytes]]:
    strings = [bytes.fromhex(_even(found[1])) for found in _PDF_HEX.finditer(data)]
    yield "PDF metadata", b"\n".join(strings).replace(b"\\", b"")
    if b"\\" in data:  # a backslash before a line break joins two lines
        yield "PDF text", re.sub(rb"\\(?:\r?\n)?", b"", data)
    for found in _PDF_STREAM.finditer(data):
        stream = found[1]
        if stream[:1] not in b"\x78\x48\x68\x58" or not (inflated := _inflated(stream)):
            inflated = _inflated(_ascii85(stream))
        if inflated:
            yield "PDF stream", inflated
            # Shown text may be one letter at a time, or with spacing between: [(Al) 20 (ice)] TJ.
            yield "PDF text", b"".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)", inflated))
            hexed = [bytes.fromhex(_even(each[1])) for each in _PDF_HEX.finditer(inflated)]
            yield "PDF text", b"".join(hexed)


def _even(digits: bytes) -> str:
    """Return hexadecimal digits without spaces, an even number of them."""
    text = b"".join(digits.split()).decode()
    return text + "0" * (len(text) % 2)


def _ascii85(stream: bytes) -> bytes:
    if b"~>" not in stream[-8:]:
        return b""
    try:
        return base64.a85decode(stream.strip().removeprefix(b"<~").partition(b"~>")[0])
    except ValueError:
        return b""


def _inflated(data: bytes) -> bytes:
    """Return the content of zlib's format, also of a stream that is cut off; else nothing."""
    try:
        return zlib.decompressobj().decompress(data, MOST_BYTES)
    except zlib.error:
        return b""


def _png(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = len(_PNG)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, chunk = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size
        if kind in (b"IDAT", b"PLTE", b"IHDR", b"IEND"):
            continue
        where = f"PNG {kind.decode('ascii', 'replace')}"
        yield where, chunk
        for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", chunk):
            if inflated := _inflated(chunk[start.start() :]):
                yield where, inflated
                digits = re.sub(rb"\s", b"", inflated)  # ImageMagick's profiles are hexadecimal
                for run in re.findall(rb"(?:[0-9a-fA-F]{2}){8,}", digits):
                    yield where, bytes.fromhex(run.decode())
                break
    if at < len(data):
        yield "after the PNG", data[at:]


def _gif(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield comments, which are in blocks of at most 255 bytes."""
    for found in re.finditer(rb"\x21\xfe", data):
        at, blocks = found.end(), []
        while size := int.from_bytes(data[at : at + 1], "big"):
            blocks.append(data[at + 1 : at + 1 + size])
            at += 1 + size
        yield "GIF comment", b"".join(blocks)


def _with_zlib(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    for found in re.finditer(b"|".join(map(re.escape, _ZLIB)), data):
        if found.start() < at:
            continue
        stream = zlib.decompressobj()
        try:
            inflated = stream.decompress(data[found.start() :], MOST_BYTES)
        except zlib.error:
            continue
        if stream.eof:
            at = len(data) - len(stream.unused_data)
            yield "in zlib in it", inflated


def _wandb_log(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        yield "W&B's log", b"\n".join(RecordReader(io.BytesIO(data), Damage()).read())
    except LogError:
        return


def _is_tar(data: bytes) -> bool:
    """Whether the first header has the sum that it says; older ones have no other mark."""
    try:
        tarfile.TarInfo.frombuf(data[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _tar(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for info in archive:
                about = (info.name, info.linkname, info.uname, info.gname, str(info.pax_headers))
                yield f"{quoted(info.name)} in it", "\n".join(about).encode(errors="replace")
                if stream := archive.extractfile(info):
                    yield f"{quoted(info.name)} in it", stream.read()
    except (tarfile.TarError, *_BROKEN) as error:
        raise ClosedError(f"a tar that can't be read ({error})") from None


def _array(data: bytes) -> bytes:
    """Return the texts of a NumPy array, whose letters have one or four bytes."""
    import numpy

    try:
        array = numpy.load(io.BytesIO(data), allow_pickle=False)
    except _BROKEN:  # Python objects, whose texts are UTF-8
        return b""
    if array.dtype.kind not in "US":
        return b""
    texts = numpy.unique(array).tolist()
    return b"\n".join(
        text if isinstance(text, bytes) else text.encode(errors="replace") for text in texts
    )


def _table(kind: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the texts of a file of Arrow's, and each of its binary values, such as a picture."""
    import pyarrow

    try:
        table = _read_table(data)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        if data.startswith(b"\xff\xff\xff\xff"):  # random bytes may begin as a stream
            return
        raise ClosedError(f"a file of {kind} that can't be read ({error})") from None
    while any(pyarrow.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    schema = table.schema.to_string(truncate_metadata=False)
    columns = [
        dict.fromkeys(column.combine_chunks().unique().to_pylist())
        if _has_one_kind(column.type)
        else map(str, column.to_pylist())
        for column in table.columns
        if not pyarrow.types.is_primitive(column.type)
    ]
    texts = [schema]
    for value in (value for column in columns for value in column):
        if isinstance(value, bytes):
            yield f"a value in {kind}", value
        else:
            texts.append(str(value))
    yield kind, "\n".join(dict.fromkeys(texts)).encode(errors="replace")


def _read_table(data: bytes) -> "pyarrow.Table":
    import pyarrow
    import pyarrow.parquet

    if data.startswith(b"PAR1"):
        return pyarrow.parquet.read_table(io.BytesIO(data))
    if data.startswith(b"ARROW1"):
        return pyarrow.ipc.open_file(io.BytesIO(data)).read_all()
    return pyarrow.ipc.open_stream(io.BytesIO(data)).read_all()


def _has_one_kind(type: "pyarrow.DataType") -> bool:
    """Whether values of a column can be told apart by Arrow: texts and bytes."""
    import pyarrow

    kinds = pyarrow.types
    return any(
        is_kind(type)
        for is_kind in (
            *(kinds.is_string, kinds.is_large_string, kinds.is_binary, kinds.is_large_binary),
            kinds.is_fixed_size_binary,
        )
    )
