"""Files that can't be looked into: encrypted, or of a format that nothing here opens."""

import re
from collections.abc import Iterator

_CLOSED = {  # by the first bytes
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"LZIP\x01": "lzip",
    b"\x1f\x9d": "packed by compress",
    b"\xff\x06\0\0sNaPpY": "Snappy",
    b"MSCF\0\0\0\0": "a cabinet",
    b"!<arch>\n": "an ar archive",
    b"\xed\xab\xee\xdb": "an RPM package",
    b"hsqs": "SquashFS",
    b"xar!": "a xar archive",
    b"Salted__": "encrypted",
    b"\0GITCRYPT\0": "encrypted",
    b"$ANSIBLE_VAULT": "encrypted",
    b"age-encryption.org/": "encrypted",
    b"-----BEGIN AGE ENCRYPTED FILE": "encrypted",
    b"-----BEGIN PGP MESSAGE": "encrypted",
}
_IMAGE = b"SIF_MAGIC"  # of Apptainer, after a line for the shell
_OFFICE, _ENCRYPTED_OFFICE = b"\xd0\xcf\x11\xe0", "EncryptedPackage".encode("utf-16-le")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_HDF5_FILTERS = re.compile(
    rb"(shuffle|lzf|szip|blosc2?|bitshuffle|bzip2|lz4|zstd|zfp|nbit|scaleoffset)\0"
)
# Newer files have numbers of filters in place of names: here that of shuffle as the first.
_HDF5_SHUFFLE = re.compile(rb"\x02[\x01-\x08]\x02\0[\0\x01]\0\x01\0")
_PDF_FILTERS = re.compile(rb"/(?:LZWDecode|RunLengthDecode|ASCIIHexDecode|BrotliDecode)\b")
_PDF_ENCRYPTED = re.compile(rb"/Encrypt\s+\d+\s+\d+\s+R")
_ENDINGS = {  # of formats that no first bytes tell
    (".gpg", ".pgp"): "encrypted",
    (".br",): "Brotli",
}
_LEAST = 6  # first bytes that random ones don't have


def reason(data: bytes) -> str | None:
    """Return why a file can't be looked into; None if nothing says so."""
    return next(_reasons(data), None)


def reason_by_name(name: str) -> str | None:
    """Return why a file with a name can't be looked into; None if nothing says so."""
    small = name.lower()
    return next((why for endings, why in _ENDINGS.items() if small.endswith(endings)), None)


def is_surely_closed(data: bytes) -> bool:
    """Whether bytes that only may be a file have a beginning that random ones don't have."""
    return any(len(magic) >= _LEAST and data.startswith(magic) for magic in _CLOSED)


def _reasons(data: bytes) -> Iterator[str]:
    yield from (why for magic, why in _CLOSED.items() if data.startswith(magic))
    if data.startswith(b"#!") and _IMAGE in data[:256]:
        yield "an Apptainer image"
    if data.startswith(_OFFICE) and _ENCRYPTED_OFFICE in data:
        yield "an encrypted document"
    if data.startswith(b"%PDF-"):
        if _PDF_ENCRYPTED.search(data):
            yield "an encrypted PDF"
        if found := _PDF_FILTERS.search(data):
            yield f"a PDF with a part by {found[0].decode()[1:]}"
    if _HDF5 in data[:1024]:
        if found := _HDF5_FILTERS.search(data):
            yield f"HDF5 with the filter {found[1].decode()}"
        if _HDF5_SHUFFLE.search(data):
            yield "HDF5 with the filter shuffle"
