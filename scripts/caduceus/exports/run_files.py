"""The files that a program saved with its run, and the code that wandb kept.

`run.save` leaves a link to the program's own file in the run's folder `files/`. What the program
writes to `run.dir` lies there itself, and so does the code that `save_code` keeps.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from caduceus.exports.run_artifacts import moved_path, place
from caduceus.io.names import is_safe_path, quoted
from caduceus.wandb_log import Segment
from caduceus.wandb_log.segments import is_programs_file


def export_files(segments: Sequence[Segment], folder: Path, bases: Sequence[Path]) -> Iterator[str]:
    """Copy the files that were saved with a run into `folder`, and yield which are left out.

    Args:
        segments: the run's segments.
        folder: takes the files; emptied first, and left out if there are none.
        bases: folders that may have moved, with their content, since the files were saved.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name, source in saved_files(segments, bases).items():
        if source is None:
            yield f"files: {quoted(name)} isn't a file of the run"
            continue
        try:
            place(source, folder / name, is_final=False)
        except OSError as error:
            yield f"files: {quoted(name)} can't be copied: {error.strerror}"


def saved_files(segments: Sequence[Segment], bases: Sequence[Path]) -> dict[str, Path | None]:
    """Return the files that were saved with a run, by their names; None for one that isn't to be.

    A file of a later process replaces that of an earlier one. A link is followed if it leads to a
    file of the same name below the folder in which the program ran or lies, and isn't hidden there.

    Args:
        segments: the run's segments.
        bases: folders that may have moved, with their content, since the files were saved.
    """
    found: dict[str, Path | None] = {}
    for segment in segments:
        near = _near(segment, bases)
        for path, name in _saved(segment.files):
            source = _followed(path, name, bases, near)
            found[name.as_posix()] = source if is_safe_path(name.as_posix()) else None
    return found


def _near(segment: Segment, bases: Sequence[Path]) -> list[Path]:
    """Return the folders in which the links among a run's files may end."""
    run = segment.path.absolute().parent
    if (
        run.parent.name != "wandb"
    ):  # wandb makes this folder, where the program runs or WANDB_DIR is
        return [run]
    program = Path(str(segment.environment.get("program") or ""))
    ran_here = segment.environment.get("host") == os.uname().nodename and program.is_file()
    is_known = ran_here and program.is_absolute()
    return [run, *bases, run.parents[1], *([program.parent] if is_known else [])]


def _saved(files: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the program's files below a run's folder `files/`, in order, and their names there."""
    for base, folders, names in os.walk(files):
        if base == os.fspath(files):
            folders[:] = [name for name in folders if name != "media"]
        folders.sort()
        linked = [name for name in folders if Path(base, name).is_symlink()]
        for path in (Path(base, name) for name in sorted([*names, *linked])):
            name = path.relative_to(files)
            if is_programs_file(name.as_posix()):
                yield path, name


def _followed(path: Path, name: Path, bases: Sequence[Path], near: Sequence[Path]) -> Path | None:
    """Return the file itself, or the file that a link leads to; None if it may not be read.

    Args:
        path: the file or link.
        name: its name in the run's folder `files/`.
        bases: folders that may have moved since.
        near: the folders in which a link may end.
    """
    source = path
    if path.is_symlink():
        target = Path(os.path.normpath(path.parent / path.readlink()))
        if target.parts[-len(name.parts) :] != name.parts:
            return None
        source = moved_path(target, bases)
    found = Path(os.path.realpath(source))  # `Path.resolve` fails if links go round in circles
    for folder in (folder.resolve() for folder in near):
        if found.is_relative_to(folder) and found.is_file():
            inside = found.relative_to(folder).parts
            is_hidden = source != path and any(part.startswith(".") for part in inside)
            return None if is_hidden else found
    return None
