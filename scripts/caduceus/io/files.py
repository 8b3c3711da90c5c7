"""Files written whole or not at all, and the digests that identify them."""

import base64
import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Json = Any  # a value that JSON can hold

_CHUNK = 1 << 20  # bytes read at a time while hashing


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `content` so that a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode(errors="replace") if isinstance(content, str) else content
    # Two hosts that share the folder may count the same process number.
    part = path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())  # else a power cut can leave the new name on an empty file
        part.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            error.filename = str(path)  # the user knows this name, not the temporary one
        raise


def write_json(path: Path, value: Json) -> None:
    """Write `value` as indented JSON; NaN and infinities are bare words, as wandb writes them."""
    write_whole(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Json:
    """The value in a JSON file."""
    return json.loads(path.read_text())


def read_if_there(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty if there is no file."""
    return dict(read_json(path)) if path.exists() else {}


def canonical_json(value: Json) -> str:
    """JSON of `value` with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_text(text: str) -> str:
    """The sha256 of `text`, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_file(path: Path, algorithm: Any) -> Any:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            algorithm.update(chunk)
    return algorithm


def sha256(path: Path) -> str:
    """The sha256 of a file, in hex."""
    return str(_hash_file(path, hashlib.sha256()).hexdigest())


def md5_base64(path: Path) -> str:
    """The md5 of a file in base64: the digest W&B gives an artifact's files."""
    algorithm = hashlib.md5(usedforsecurity=False)
    return base64.b64encode(_hash_file(path, algorithm).digest()).decode()


def files_below(folder: Path) -> list[Path]:
    """Every file below `folder`, links followed, in the order of their relative paths.

    Links that lead nowhere or back to a folder above, pipes and the like are left out.
    """
    found = []
    for base, folders, names in os.walk(folder, followlinks=True):
        found += [path for name in names if (path := Path(base, name)).is_file()]
        folders[:] = [name for name in folders if not _leads_back(Path(base, name))]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _leads_back(folder: Path) -> bool:
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def describe(folder: Path, paths: Iterable[Path]) -> dict[str, dict[str, Json]]:
    """Size in bytes and sha256 of each file, by its path relative to `folder`."""
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in paths
    }
