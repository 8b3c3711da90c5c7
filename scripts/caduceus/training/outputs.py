"""The files that a program leaves, kept as its result."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from caduceus.io.files import FileDigest, describe, files_below
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import is_whole
from caduceus.training import failure_reason
from caduceus.wandb_log import LogError


def collect(
    folder: RunFolder, attempt: Attempt, left: Path, program: str, console: Path
) -> Attempt:
    """Return an attempt whose program succeeded with the files that it left.

    If not all of its files and rows can be read, the attempt has failed.

    Args:
        folder: the run's folder, which takes the files.
        attempt: the attempt.
        left: the program's output folder.
        program: the program's name, for the error.
        console: the file with what it printed.
    """
    try:
        if not attempt.was_stopped and not is_whole(folder, attempt.number):
            message = failure_reason.cut_short(program, console)
            return replace(attempt, state="failed", error=message)
        return replace(attempt, output=keep_output(left, folder.output))
    except (OSError, LogError) as error:
        message = f"what {program} has left can't be read: {error}"
        return replace(attempt, state="failed", error=message)


def keep_output(left: Path, kept: Path) -> dict[str, FileDigest]:
    """Move the folder `left` to `kept`, in place of what is there.

    Links into the folder by its full path are made relative, so that they stay valid.

    Returns:
        Size and sha256 of each file, by its path inside. Anything else, such as a dangling link or
        a pipe, is moved but not listed.

    Raises:
        OSError: a file can't be read or moved.
    """
    left.mkdir(parents=True, exist_ok=True)  # the program may have removed it
    for base, folders, names in os.walk(left):
        for path in (Path(base, name) for name in [*folders, *names]):
            if path.is_symlink() and path.readlink().is_relative_to(left.absolute()):
                target = os.path.relpath(path.readlink(), path.parent.absolute())
                path.unlink()
                path.symlink_to(target)
    shutil.rmtree(kept, ignore_errors=True)
    left.rename(kept)
    return describe(kept, files_below(kept))
