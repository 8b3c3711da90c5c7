"""Folders in which several users of a group work: what one makes, the others may replace.

Such a folder is one that the group may write and that gives its group to new files (setgid), as
`chmod g+ws` makes it. There the umask of this process, which its children inherit, leaves the
group its rights, whatever the user's umask is.
"""

import os
import stat
from pathlib import Path

_GROUP = 0o070
_BEFORE_US = (Path(".snakemake"), Path(".snakemake/log"))  # Snakemake makes them when it starts


def share_with_group(folder: Path) -> None:
    """Let the group write what this process makes, if `folder` is shared; see above."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return
    if mode & stat.S_ISGID and mode & stat.S_IWGRP:
        mask = os.umask(0o077)
        os.umask(mask & ~_GROUP)
        for each in filter(Path.is_dir, _BEFORE_US):
            _open(each)


def project_place(results: Path) -> Path:
    """Return the folder that says whether a project is shared: results/, or what it will be in."""
    return next((each for each in (results, *results.parents) if each.is_dir()), Path())


def open_to_group(folder: Path) -> None:
    """Give the group its rights on files that a program made with modes of its own.

    Programs make files that only their user may read or write, as `tempfile` does, and wandb for
    artifacts. The group gets the rights that their user has. Only files of this user are changed,
    and only where its umask leaves the group all rights; links aren't followed.
    """
    mask = os.umask(0o077)
    os.umask(mask)
    if mask & _GROUP:
        return
    for base, folders, files in os.walk(folder):
        for path in (Path(base, name) for name in (*folders, *files)):
            _open(path)


def _open(path: Path) -> None:
    """Give the group the rights that this user has on a file of its own."""
    status = path.lstat()
    if status.st_uid != os.geteuid() or stat.S_ISLNK(status.st_mode):
        return
    mode = stat.S_IMODE(status.st_mode)
    wanted = mode | (mode & 0o700) >> 3
    if wanted != mode:
        path.chmod(wanted)
