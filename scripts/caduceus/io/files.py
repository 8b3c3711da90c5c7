"""Read and write files: written completely or not at all; JSON; digests; file lists."""

import base64
import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from caduceus.errors import ResultError

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None

MADE_AGAIN = "delete it, and the next `snakemake` makes it again"  # the mend of most files
_CHUNK = 1 << 20  # bytes read at a time while hashing


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `content` so that a reader sees the old file or the new one, never a part of it.

    Raises:
        OSError: the file can't be written; its `filename` is `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode(errors="replace") if isinstance(content, str) else content
    # With the host's name: on a shared file system two hosts may use the same process id.
    part = path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())  # otherwise a power cut can leave an empty file at `path`
        part.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            error.filename = str(path)  # in place of the temporary name, which tells a user nothing
        raise


def write_json(path: Path, value: Json) -> None:
    """Write `value` as indented JSON, with NaN and infinities as bare words, as wandb does."""
    write_whole(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path, mend: str = MADE_AGAIN) -> Any:
    """Read the value in a JSON file.

    Args:
        path: the file.
        mend: what the user can do about a damaged file, for the error message.

    Raises:
        ResultError: the file isn't JSON, as after a full disk or a power cut.
    """
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError as error:
        how = "empty file" if not error.doc.strip() else f"{error.msg}, line {error.lineno}"
    except (ValueError, RecursionError) as error:  # not UTF-8, or a number of 5,000 digits
        how = type(error).__name__
    raise damaged(path, f"not JSON ({how})", mend)


def damaged(path: Path, what: str, mend: str) -> ResultError:
    """Make the error that says what is wrong with a file, and how to mend it."""
    return ResultError(f"{what}; {mend}", str(path))


def read_if_there(path: Path, mend: str = MADE_AGAIN) -> dict[str, Any]:
    """Read the JSON object in a file; empty if there is no file.

    Raises:
        ResultError: the file isn't a JSON object.
    """
    if not path.exists():
        return {}
    value = read_json(path, mend)
    if not isinstance(value, dict):
        raise damaged(path, "not a JSON object", mend)
    return value


def canonical_json(value: Json) -> str:
    """Return `value` as JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_text(text: str) -> str:
    """Return the sha256 of `text` in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_file(path: Path, algorithm: Any) -> Any:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            algorithm.update(chunk)
    return algorithm


def sha256(path: Path) -> str:
    """Return the sha256 of a file in hex."""
    return str(_hash_file(path, hashlib.sha256()).hexdigest())


def md5_base64(path: Path) -> str:
    """Return the md5 of a file in base64: W&B's digest of the files of an artifact."""
    algorithm = hashlib.md5(usedforsecurity=False)
    return base64.b64encode(_hash_file(path, algorithm).digest()).decode()


def is_file(path: Path) -> bool:
    """Whether there is such a file; not if the system takes no such name."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def files_below(folder: Path) -> list[Path]:
    """Return every file below `folder`, in the order of the relative paths; links are followed.

    Broken links, links to a folder on the way or to what this user can't reach, pipes and the like
    are left out.
    """
    found = []
    ways: dict[str, tuple[Path, ...]] = {os.fspath(folder): ()}  # folders that links were in
    for base, folders, names in os.walk(folder, followlinks=True):
        found += [path for name in names if is_file(path := Path(base, name))]
        way = ways.pop(base)
        entered = []
        for path in (Path(base, name) for name in folders):
            longer = (*way, Path(base).resolve()) if path.is_symlink() else way
            if longer is way or not _is_on(longer, path.resolve()):
                entered.append(path.name)
                ways[os.path.join(base, path.name)] = longer  # noqa: PTH118  # as os.walk does
        folders[:] = entered
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _is_on(way: Iterable[Path], folder: Path) -> bool:
    """Whether a folder is one of those on a way, or above one, where a walk would never end."""
    return any(place.is_relative_to(folder) for place in way)


@dataclass(frozen=True)
class FileDigest:
    """The size of a file and its sha256 in hex."""

    bytes: int
    sha256: str


def describe(folder: Path, paths: Iterable[Path]) -> dict[str, FileDigest]:
    """Return size and sha256 of each file, by its path relative to `folder`."""
    return {
        path.relative_to(folder).as_posix(): FileDigest(path.stat().st_size, sha256(path))
        for path in paths
    }
