"""Copies of files with the modes of this user's umask, as every other file in results/ has."""

import os
import shutil
from pathlib import Path

_EXECUTABLE, _READABLE = 0o111, 0o444


def copy_file(source: Path, target: Path) -> None:
    """Copy a file with its times; whoever may read the copy may execute it if one could before.

    The modes of the source aren't copied: it may be private, as wandb's staged files are, or
    somebody else's.

    Raises:
        OSError: the source can't be read, or the target can't be written.
    """
    shutil.copyfile(source, target)
    status = source.stat()
    if status.st_mode & _EXECUTABLE:
        mode = target.stat().st_mode
        target.chmod(mode | (mode & _READABLE) >> 2)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
