"""Write and unpack reproducible zip files with a manifest of digests.

The same contents give the same bytes: no time, owner or permission of this machine enters a zip.
Files that compression doesn't shrink, such as models, are stored as they are.
"""

import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from caduceus.errors import ResultError, from_machine_error
from caduceus.io.names import is_safe_name, is_safe_path, quoted
from caduceus.paper.archive.contents import Entry
from caduceus.system.secret_search import SecretSearch

MANIFEST = "manifest.sha256"
_CHUNK = 1 << 20  # bytes
_HEAD = 1 << 16  # bytes whose compression is tried
_LEAST_RATIO = (
    0.95  # of the compressed size to the size, from which on files are stored as they are
)
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest time that the format has
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # ours; others may take much memory
# zipfile raises these on damage: a flipped bit may also mark a file as encrypted (RuntimeError), or
# give a negative offset (ValueError, OSError).
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, OSError, RuntimeError, ValueError, OverflowError),
)
# The end of a zip says how long its list of files is: after a signature, at an offset, as a number.
_ENDS = ((b"PK\x06\x06", 40, "<Q"), (b"PK\x05\x06", 12, "<I"))  # ZIP64's, then the usual one
_END_BYTES = 66_000  # both, with the longest comment
_LISTED_BYTES = 250  # of a file in that list or in the manifest, on average
_UNIX, _PERMISSIONS = 3, 0o100644 << 16  # a regular file, rw-r--r--


@dataclass(frozen=True)
class Limits:
    """How much an archive may unpack to: a zip of 10 MB can hold 10 GB of zeros.

    Attributes:
        gb: the bytes of all files, in 10^9.
        files: the number of files.
    """

    gb: float = 20
    files: int = 200_000


class _DamageError(Exception):
    """A file of a zip can't be read or written completely."""


def write_zip(
    path: Path, folder: str, entries: Iterable[Entry], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Write a zip with `entries`, and a manifest of their digests at its end.

    Args:
        path: the zip.
        folder: the one folder in which all entries lie, without a slash.
        entries: its files, in order.
        secrets: values that no file may contain, each with its name.

    Returns:
        The sha256 of each entry by name.

    Raises:
        ResultError: a file contains a secret, or differs from its export's manifest.
    """
    entries = list(entries)
    digests: dict[str, str] = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    total = sum(entry.size for entry in entries)
    try:
        with (
            zipfile.ZipFile(part, "w") as target,
            tqdm(total=total, unit="B", unit_scale=True, disable=None) as progress,
        ):
            for entry in entries:
                digest = _write(target, folder, entry, secrets, progress)
                if entry.sha256 not in (None, digest):
                    raise entry.differing()
                digests[entry.name] = digest
            lines = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
            _write(target, folder, Entry(MANIFEST, lines.encode()), {}, progress)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return digests


def _write(
    target: zipfile.ZipFile,
    folder: str,
    entry: Entry,
    secrets: Mapping[str, str],
    progress: "tqdm[Any]",
) -> str:
    """Write one entry and return its sha256."""
    info = zipfile.ZipInfo(f"{folder}/{entry.name}", _TIME)
    info.create_system, info.external_attr = _UNIX, _PERMISSIONS
    info.file_size = entry.size  # tells zipfile whether it needs the ZIP64 format, from 4 GB on
    digest = hashlib.sha256()
    search = SecretSearch(secrets)
    with _open(entry) as source:
        head = source.read(_HEAD)
        shrinks = len(zlib.compress(head)) < _LEAST_RATIO * len(head)
        info.compress_type = zipfile.ZIP_DEFLATED if shrinks else zipfile.ZIP_STORED
        chunk = head
        with target.open(info, "w") as stream:
            while chunk:
                for name in sorted(search.names_in(chunk)):
                    where = entry.name if isinstance(entry.source, bytes) else entry.source
                    raise ResultError(
                        f"contains the value of {name}; remove it from the file, or revoke it "
                        "and use a new one",
                        str(where),
                    )
                digest.update(chunk)
                stream.write(chunk)
                progress.update(len(chunk))
                chunk = source.read(_CHUNK)
    return digest.hexdigest()


def _open(entry: Entry) -> IO[bytes]:
    return io.BytesIO(entry.source) if isinstance(entry.source, bytes) else entry.source.open("rb")


def unpack(
    path: Path, into: Path, limits: Limits = Limits()
) -> tuple[Path, dict[str, str], list[str]]:
    """Unpack an archive and compare every file with its manifest.

    Args:
        path: the zip.
        into: the folder in which its one folder is created.
        limits: how much it may unpack to.

    Returns:
        The created folder, the sha256 of each file in the manifest, and a line for each file that
        is missing, damaged, different or not in the manifest.

    Raises:
        ResultError: it is no zip, no archive, or exceeds the limits.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise ResultError(f"{what}; name a zip that `snakemake archive` has made", str(path))
    try:
        _check_count(_list_bytes(path) // _LISTED_BYTES, limits, path)
        source = zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise ResultError(f"isn't a complete zip file: {error}", str(path)) from None
    with source:
        _check_count(len(source.infolist()), limits, path)
        gigabytes = sum(info.file_size for info in source.infolist()) / 1e9
        if gigabytes > limits.gb:
            raise ResultError(
                f"unpacks to {gigabytes:,.1f} GB, allowed: {limits.gb:g}; --max-gb raises it",
                str(path),
            )
        return _unpack(source, path, into, limits)


def _check_count(files: int, limits: Limits, path: Path) -> None:
    if files > limits.files:
        raise ResultError(
            f"contains {files:,} files, allowed: {limits.files:,}; --max-files raises it", str(path)
        )


def _list_bytes(path: Path) -> int:
    """Return the length of a zip's list of files, which zipfile reads into memory at once."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _END_BYTES))
        end = stream.read()
    found = 0
    for signature, offset, number in _ENDS:
        place = end.rfind(signature)
        if place >= 0 and place + offset + struct.calcsize(number) <= len(end):
            value = struct.unpack_from(number, end, place + offset)[0]
            found = max(found, 0 if value == 0xFFFFFFFF else value)
    return min(found, path.stat().st_size)


def _unpack(
    source: zipfile.ZipFile, path: Path, into: Path, limits: Limits
) -> tuple[Path, dict[str, str], list[str]]:
    files = [info for info in source.infolist() if not info.is_dir()]
    folder = next((info.filename.partition("/")[0] for info in files), "")
    manifest = f"{folder}/{MANIFEST}"
    if not is_safe_name(folder) or manifest not in source.namelist():
        raise ResultError(f"has no {MANIFEST}; it isn't an archive of Caduceus", str(path))
    try:
        about = source.getinfo(manifest)
        if about.file_size > limits.files * _LISTED_BYTES:
            raise ValueError("it is too large; --max-files raises the limit")
        content = b"".join(_chunks(source, about))
        expected = dict(_lines(content.decode()))
    except (_DamageError, ValueError) as error:
        raise ResultError(f"its {MANIFEST} is damaged: {error}", str(path)) from None
    problems = []
    seen = set()
    for info in tqdm(files, unit=" files", disable=None):
        name = info.filename.removeprefix(f"{folder}/")
        if name == MANIFEST:
            continue
        is_inside = info.filename.startswith(f"{folder}/")
        if not is_inside or name not in expected or name in seen:
            problems.append(f"extra: {name} isn't in {MANIFEST}, or occurs twice")
            continue
        seen.add(name)
        try:
            digest = _extract(source, info, into)
        except _DamageError as error:
            problems.append(f"damaged: {name}: {error}")
            continue
        if digest != expected[name]:
            problems.append(f"different: {name} doesn't match {MANIFEST}")
    problems += [f"missing: {name}" for name in expected if name not in seen]
    return into / folder, expected, problems


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and digest on each line of a manifest in the format of sha256sum."""
    for line in text.splitlines():
        digest, _, name = line.partition("  ")
        if not re.fullmatch("[0-9a-f]{64}", digest) or not name:
            raise ValueError(f"a line reads {line!r}")
        if not is_safe_path(name):
            raise ValueError(f"{quoted(name)} can't name a file in the folder")
        yield name, digest


def _extract(source: zipfile.ZipFile, info: zipfile.ZipInfo, into: Path) -> str:
    """Unpack a file and return its sha256."""
    digest = hashlib.sha256()
    target = into / info.filename
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for chunk in _chunks(source, info):
                digest.update(chunk)
                file.write(chunk)
    except OSError as error:  # a full disk is no fault of the zip
        if from_machine_error(error):
            raise
        raise _DamageError(f"can't be written: {error.strerror}") from None
    return digest.hexdigest()


def _chunks(source: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    if info.compress_type not in _COMPRESSIONS:
        raise _DamageError("compressed by a method that no archive has")
    try:
        with source.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except _DAMAGE as error:
        raise _DamageError(str(error)) from None
