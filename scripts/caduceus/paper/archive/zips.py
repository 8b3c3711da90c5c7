"""Zip files of which the same contents give the same bytes, and their digests.

A name, a time or a right of the machine that writes it never enters one. What doesn't grow smaller
by compression, such as a model, is stored as it is.
"""

import hashlib
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from caduceus.errors import ResultError
from caduceus.paper.archive.contents import Entry

MANIFEST = "manifest.sha256"
_CHUNK = 1 << 20  # bytes
_HEAD = 1 << 16  # bytes that are tried
_WORTH = 0.95  # of the size, from which on compression isn't worth its time
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say
# Where one bit is wrong, zipfile may take a file for an encrypted one, or seek before the start.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(EOFError, OSError, RuntimeError, ValueError),
)
_UNIX, _RIGHTS = 3, 0o100644 << 16  # a file that its owner may write and all may read


class _DamageError(Exception):
    """A file of a zip can't be read whole."""


def write_zip(
    path: Path, folder: str, entries: Iterable[Entry], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Write a zip whose entries lie in `folder`, and last a manifest of their digests.

    Args:
        path: the zip.
        folder: its one folder, without a slash.
        entries: its files, in order.
        secrets: values that no file may hold, and what they are called.

    Returns:
        The sha256 of each entry by its name.

    Raises:
        ResultError: a file holds a secret, or isn't what its export's manifest says.
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
                    raise ResultError(
                        "isn't what manifest.json beside it says; delete that to have the run "
                        "exported again",
                        str(entry.source),
                    )
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
    """Write one entry; returns its sha256."""
    info = zipfile.ZipInfo(f"{folder}/{entry.name}", _TIME)
    info.create_system, info.external_attr = _UNIX, _RIGHTS
    info.file_size = entry.size  # from which zipfile sees whether it needs the form for 4 GB
    digest = hashlib.sha256()
    values = {value.encode(): name for value, name in secrets.items()}
    overlap = max(map(len, values), default=1) - 1
    with _open(entry) as source:
        head = source.read(_HEAD)
        is_worth_it = len(zlib.compress(head)) < _WORTH * len(head)
        info.compress_type = zipfile.ZIP_DEFLATED if is_worth_it else zipfile.ZIP_STORED
        chunk, before = head, b""
        with target.open(info, "w") as stream:
            while chunk:
                seen = before + chunk
                for value, name in values.items():
                    if value in seen:
                        where = entry.name if isinstance(entry.source, bytes) else entry.source
                        raise ResultError(
                            f"holds the value of {name}; take it out of the file, or have a new "
                            "one made, which makes this one worthless",
                            str(where),
                        )
                before = seen[max(0, len(seen) - overlap) :]
                digest.update(chunk)
                stream.write(chunk)
                progress.update(len(chunk))
                chunk = source.read(_CHUNK)
    return digest.hexdigest()


def _open(entry: Entry) -> IO[bytes]:
    return io.BytesIO(entry.source) if isinstance(entry.source, bytes) else entry.source.open("rb")


def unpack(path: Path, into: Path) -> tuple[Path, dict[str, str], list[str]]:
    """Unpack an archive, and hold every file against its manifest.

    Args:
        path: the zip.
        into: takes its one folder.

    Returns:
        The folder, the sha256 that the manifest says of each file, and a line for each file that
        is missing, damaged, different or not in the manifest.

    Raises:
        ResultError: it is no zip, or no archive.
    """
    try:
        source = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise ResultError("no such file", str(path)) from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ResultError(f"isn't a whole zip file: {error}", str(path)) from None
    with source:
        return _unpack(source, path, into)


def _unpack(
    source: zipfile.ZipFile, path: Path, into: Path
) -> tuple[Path, dict[str, str], list[str]]:
    files = [info for info in source.infolist() if not info.is_dir()]
    folder = next((info.filename.partition("/")[0] for info in files), "")
    manifest = f"{folder}/{MANIFEST}"
    if folder in (".", "..") or manifest not in source.namelist():
        raise ResultError(f"has no {MANIFEST}; it isn't an archive of Caduceus", str(path))
    try:
        content = b"".join(_chunks(source, source.getinfo(manifest)))
        expected = dict(_lines(content.decode()))
    except (_DamageError, ValueError) as error:
        raise ResultError(f"its {MANIFEST} is damaged: {error}", str(path)) from None
    problems = []
    found = set()
    for info in tqdm(files, unit=" files", disable=None):
        name = info.filename.removeprefix(f"{folder}/")
        if name == MANIFEST:
            continue
        if name not in expected or name in found:
            problems.append(f"extra: {name} isn't in {MANIFEST}, or stands twice")
            continue
        found.add(name)
        try:
            digest = _extract(source, info, into)
        except _DamageError as error:
            problems.append(f"damaged: {name}: {error}")
            continue
        if digest != expected[name]:
            problems.append(f"different: {name} isn't what {MANIFEST} says")
    problems += [f"missing: {name}" for name in expected if name not in found]
    return into / folder, expected, problems


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """The name and digest on each line of a manifest, as sha256sum writes it."""
    for line in text.splitlines():
        digest, _, name = line.partition("  ")
        if not re.fullmatch("[0-9a-f]{64}", digest) or not name:
            raise ValueError(f"a line reads {line!r}")
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ValueError(f"{name} leads out of the folder")
        yield name, digest


def _extract(source: zipfile.ZipFile, info: zipfile.ZipInfo, into: Path) -> str:
    """Unpack a file; returns its sha256."""
    digest = hashlib.sha256()
    target = into / info.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        for chunk in _chunks(source, info):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _chunks(source: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with source.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except _BROKEN as error:
        raise _DamageError(str(error)) from None
