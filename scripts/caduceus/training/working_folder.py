"""The files that a program has written to its working folder, and to those that it links to."""

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from caduceus.runs.files.attempt import LeftFiles
from caduceus.runs.source_code import snapshot_files

_LOOKED_AT = 20_000  # entries, breadth first: a program or a linked folder may have millions
_MOST_ENTRIES = 1000  # of a folder, as more take long on a network file system
_COMPILED = "__pycache__"  # Python makes it where it imports from, and so changes that folder
_LARGE = 10_000_000  # bytes
_CHECKPOINTS = (
    *(".ckpt", ".gguf", ".h5", ".joblib", ".keras", ".onnx", ".pickle", ".pkl", ".pt", ".pth"),
    ".safetensors",
)
_NAMED = 3


def left_files(code: Path) -> LeftFiles | None:
    """Return the large files and checkpoints that lie only in a run's working folder, if any do.

    A file counts from 10 MB on; one with a suffix of models or checkpoints counts whatever its
    size. Code isn't counted, nor what links lead to.

    Args:
        code: the working folder.
    """
    own = set(snapshot_files(code))
    found = []
    for path in files_of(code, follow_links=False):
        size = 0 if path in own or path.is_symlink() else path.stat().st_size
        if size >= _LARGE or (size and path.suffix in _CHECKPOINTS):
            found.append((-size, path.relative_to(code).as_posix()))
    if not found:
        return None
    names = tuple(name for _, name in sorted(found)[:_NAMED])
    return LeftFiles(files=names, count=len(found), bytes=-sum(size for size, _ in found))


def logs_elsewhere(code: Path, since_s: float, follow_links: bool) -> list[Path]:
    """Return the `.wandb` files in a run's working folder that were written to since a time.

    Args:
        code: the working folder.
        since_s: seconds since 1970.
        follow_links: whether to look into the project's entries, which the folder links to.
    """
    logs = (path for path in files_of(code, follow_links) if path.suffix == ".wandb")
    return [path for path in logs if path.stat().st_mtime >= since_s]


def written_links(root: Path, folder: Path, since: str) -> list[str]:
    """Return the folders of `root` that a snapshot links to and that were written to.

    Only the first entries of each folder itself are checked, not those of its folders. Compiled
    modules don't count.

    Args:
        root: the project's folder.
        folder: the snapshot.
        since: the start of the time that counts, as ISO 8601.
    """
    started = datetime.fromisoformat(since).timestamp()
    found = []
    for base, names, _ in os.walk(folder):
        inside = Path(base).relative_to(folder)
        names[:] = [name for name in names if name[0] != "." and inside / name != Path("results")]
        names[:] = sorted(name for name in names if (root / inside / name).is_dir())
        for name in names:
            is_link = (folder / inside / name).is_symlink()
            with contextlib.suppress(OSError):  # it can't be read, or files are deleted meanwhile
                if is_link and _was_written(root / inside / name, started):
                    found.append((inside / name).as_posix())
    return found


def _was_written(folder: Path, started: float) -> bool:
    paths = [folder, *itertools.islice(folder.iterdir(), _MOST_ENTRIES)]
    return any(
        path.exists() and path.stat().st_mtime >= started and not (path / _COMPILED).exists()
        for path in paths
        if path.name != _COMPILED
    )


def files_of(folder: Path, follow_links: bool) -> Iterator[Path]:
    """Yield the files below a working folder, but for hidden folders and those of other runs.

    At most 20,000 entries are looked at, those of upper folders first.
    """
    waiting, known, left = deque([folder]), {os.path.realpath(folder)}, _LOOKED_AT
    while waiting and left > 0:
        for entry in _entries(waiting.popleft())[:left]:
            left -= 1
            if entry.is_symlink() and Path(entry.path).relative_to(folder).parts[0] == "results":
                continue
            if not entry.is_dir():
                if entry.is_file():
                    yield Path(entry.path)
            elif (follow_links or not entry.is_symlink()) and _is_new(entry, known):
                waiting.append(Path(entry.path))


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:  # links come last, such as wandb's latest-run
        return sorted(os.scandir(folder), key=lambda entry: (entry.is_symlink(), entry.name))
    except OSError:  # it can't be read, or is gone
        return []


def _is_new(folder: "os.DirEntry[str]", known: set[str]) -> bool:
    """Whether a folder is to be entered; it is added to those that are known."""
    real = os.path.realpath(folder.path)
    is_new = real not in known and folder.name[0] != "."
    known.add(real)
    return is_new
