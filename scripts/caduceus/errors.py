"""Errors that a user can fix: one line that says what, where and what to do.

CaduceusError
├── SpecError       a file the user wrote (configuration, experiment) is wrong
├── DatasetError    a dataset is missing or isn't the declared one
├── ProgramError    a training or dataset program failed
├── ResourceError   this host lacks what a run needs
├── AccountError    the W&B account isn't set up, or may not do what is asked
├── ServerError     the W&B server can't be reached, or doesn't answer as it should
├── SlurmError      SLURM isn't there, or refuses what is asked
└── ResultError     a file under results/ is missing, damaged or can't be written

Anything else that is raised is a bug and shows its traceback.
"""

import errno

# The operating system's errors that a user can fix, each with how: of the machine, ...
_MACHINE_FIXES = {
    errno.ENOSPC: "free some space or move results/ to a larger disk",
    errno.EDQUOT: "free some of your quota or move results/ to another disk",
    errno.EFBIG: "raise the limit on file size (ulimit -f)",
    errno.EROFS: "make the file system writable or work in another folder (--directory)",
    errno.EACCES: "make the folder writable (chmod u+w) or work in another one (--directory)",
    errno.EPERM: "make the folder writable (chmod u+w) or work in another one (--directory)",
    errno.EMFILE: "raise the number of open files (ulimit -n)",
}
# ... and of one path.
_PATH_FIXES = {
    errno.EISDIR: "move the folder away, as a file is needed there",
    errno.ENOTDIR: "move the file away, as a folder is needed there",
    errno.ENAMETOOLONG: "use a shorter name",
    errno.ELOOP: "remove the links that lead to each other",
}


class CaduceusError(Exception):
    """An error as one line: `where`, if given, then the message."""

    def __init__(self, message: str, where: str = ""):
        line = " ".join(message.split())
        place = " ".join(where.splitlines())  # names from outside may have line breaks
        super().__init__(f"{place}: {line}" if place else line)


class SpecError(CaduceusError):
    """A file the user wrote is wrong."""


class DatasetError(CaduceusError):
    """A dataset is missing or isn't the declared one."""


class ProgramError(CaduceusError):
    """A training or dataset program failed."""


class ResourceError(CaduceusError):
    """This host lacks what a run needs."""


class AccountError(CaduceusError):
    """The W&B account isn't set up, or may not do what is asked."""


class ServerError(CaduceusError):
    """The W&B server can't be reached, or doesn't answer as it should."""


class SlurmError(CaduceusError):
    """SLURM isn't there, or refuses what is asked."""


class ResultError(CaduceusError):
    """A file under results/ is missing, damaged or can't be written."""


def from_os_error(error: OSError) -> ResultError | None:
    """Return the one-line error of what a user can fix; None for any other."""
    fix = (_MACHINE_FIXES | _PATH_FIXES).get(error.errno or 0)
    if fix is None:
        return None
    reason = error.strerror or str(error)
    return ResultError(f"{reason}: {fix}", where=str(error.filename or "results"))


def from_machine_error(error: Exception) -> ResultError | None:
    """Return the one-line error of a full or read-only disk and the like, which spare no file."""
    if isinstance(error, OSError) and error.errno in _MACHINE_FIXES:
        return from_os_error(error)
    return None
