"""Copy a folder of results/ from elsewhere: whole, with this user's modes, and without outside."""

import os
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.copies import copy_file
from caduceus.io.files import FileDigest, sha256
from caduceus.runs.files.export import ExportedFile

_ANNEX = (".git", "annex", "objects")  # where git-annex keeps the files that it links to


class SourceError(ResultError):
    """A file of the source can't be read, or isn't what a record there says."""


def copy_folder(source: Path, target: Path, left_out: Collection[str] = ()) -> list[str]:
    """Copy a folder, and return the paths of links and special files that weren't copied.

    Files get the modes of this user's umask and keep their times. A link stays one if it leads to
    something in the folder; the content of a file that git-annex has is copied.

    Args:
        source: the folder, which is only read.
        target: doesn't exist yet.
        left_out: paths below the folder that aren't copied.

    Raises:
        SourceError: a folder can't be read.
        OSError: a file can't be read or written.
    """
    real = Path(os.path.realpath(source))
    refused = []
    target.mkdir(parents=True)
    for base, names in _walk(source):
        inside = base.relative_to(source)
        for name in names:
            path, place = base / name, (inside / name).as_posix()
            if place in left_out or _is_temporary(name):
                continue
            goal = target / place
            if path.is_symlink():
                end = Path(os.path.realpath(path))
                if end.is_relative_to(real):
                    here = os.path.realpath(base)
                    goal.symlink_to(os.path.relpath(end, here))
                elif _is_annexed(end):
                    copy_file(path, goal)
                else:
                    refused.append(place)
            elif path.is_dir():
                goal.mkdir()
            elif stat.S_ISREG(path.stat().st_mode):
                copy_file(path, goal)
            else:
                refused.append(place)
    return refused


def check_files(folder: Path, known: Mapping[str, FileDigest | ExportedFile], mend: str) -> None:
    """Check that files are what a record says; one that is missing may be left out of an archive.

    Args:
        folder: the folder of a run.
        known: its files.
        mend: what to do where the run was trained.

    Raises:
        SourceError: one is missing beside the run's logs, or has other content.
    """
    for name, file in known.items():
        path = folder / name
        if not path.is_file():
            if (folder / "work/code").exists() or (folder / "work/server").exists():
                raise SourceError(f"{name} is missing; {mend}")
        elif path.stat().st_size != file.bytes or sha256(path) != file.sha256:
            raise SourceError(f"{name} isn't what was written; {mend}")


def set_time(paths: Iterable[Path], time_ns: int) -> None:
    """Give files, and folders that are outputs of a job, the same time of modification."""
    for path in paths:
        for each in (path / ".snakemake_timestamp", path):
            if each.exists():
                os.utime(each, ns=(time_ns, time_ns))


def _walk(source: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder below `source`, itself first, with the names in it; links aren't entered.

    Raises:
        SourceError: a folder can't be read.
    """
    waiting = [source]
    while waiting:
        base = waiting.pop()
        try:
            names = sorted(os.listdir(base))  # noqa: PTH208  # names that aren't UTF-8 too
        except OSError as error:
            raise SourceError(f"{base.relative_to(source)}: {error.strerror}") from None
        yield base, names
        waiting += [
            path
            for path in (base / name for name in names)
            if path.is_dir() and not path.is_symlink()
        ]


def _is_temporary(name: str) -> bool:
    """Whether a file is one that was being written."""
    return name.startswith(".") and name.endswith(".part")


def _is_annexed(path: Path) -> bool:
    parts = path.parts
    places = range(len(parts) - len(_ANNEX))
    return path.is_file() and any(parts[at : at + len(_ANNEX)] == _ANNEX for at in places)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it."""
    if folder.exists():
        shutil.rmtree(folder)
