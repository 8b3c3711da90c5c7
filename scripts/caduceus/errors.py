"""Errors that a user can fix: one line that says what, where and what to do.

CaduceusError
├── SpecError       a file the user wrote (configuration, experiment) is wrong
├── DatasetError    a dataset is missing or isn't the declared one
├── ProgramError    a training or dataset program failed
├── ResourceError   this host lacks what a run needs
├── AccountError    the W&B account isn't set up, or may not do what is asked
├── ServerError     the W&B server can't be reached, or doesn't answer as it should
├── SchedulerError  a cluster's scheduler isn't there, or refuses what is asked
│   └── SlurmError      SLURM isn't there, or refuses what is asked
└── ResultError     a file under results/ is missing, damaged or can't be written
    └── SystemCallError     the operating system refused, for a reason that a user can fix

Anything else that is raised is a bug and shows its traceback.
"""

import errno
from typing import ClassVar

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
# Snakemake makes this folder in the home, which a user of a container often can't write to.
_CACHE = "/.cache"
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_CACHE_FIX = "set XDG_CACHE_HOME to a folder that you can write to"


class CaduceusError(Exception):
    """An error as one line: `where`, if given, then the message.

    Attributes:
        message: what is wrong and, after the first semicolon, what to do.
        where: the file, with its line if known, or the name that it is about; may be empty.
    """

    usual_mend: ClassVar[str] = "start again once that is corrected"

    def __init__(self, message: str, where: str = ""):
        self.message = " ".join(message.split())
        self.where = " ".join(where.splitlines())  # names from outside may have line breaks
        super().__init__(f"{self.where}: {self.message}" if self.where else self.message)

    @property
    def mend(self) -> str:
        """The part of the message that says what to do, or else what helps with its kind."""
        return self.message.partition("; ")[2] or self.usual_mend


class SpecError(CaduceusError):
    """A file the user wrote is wrong."""

    usual_mend = "correct the file or the option that the message names"


class DatasetError(CaduceusError):
    """A dataset is missing or isn't the declared one."""

    usual_mend = "correct the dataset, or its entry in config.yaml"


class ProgramError(CaduceusError):
    """A training or dataset program failed."""

    usual_mend = "correct the program, and start again"


class ResourceError(CaduceusError):
    """This host lacks what a run needs."""

    usual_mend = "use a host that has it, or lower what the experiment asks for"


class AccountError(CaduceusError):
    """The W&B account isn't set up, or may not do what is asked."""

    usual_mend = "log in with `wandb login`, and check it with `caduceus doctor`"


class ServerError(CaduceusError):
    """The W&B server can't be reached, or doesn't answer as it should."""

    usual_mend = "try again once the server answers"


class SchedulerError(CaduceusError):
    """A cluster's scheduler isn't there, or refuses what is asked."""

    usual_mend = "check the scheduler with `caduceus doctor`"


class SlurmError(SchedulerError):
    """SLURM isn't there, or refuses what is asked."""

    usual_mend = "check SLURM with `caduceus doctor`"


class ResultError(CaduceusError):
    """A file under results/ is missing, damaged or can't be written."""

    usual_mend = "start snakemake again, which makes what is missing"


class SystemCallError(ResultError):
    """The operating system refused, for a reason that a user can fix: "REASON: MEND"."""

    @property
    def mend(self) -> str:
        """The fix of the operating system's error."""
        return self.message.partition(": ")[2]


def from_os_error(error: OSError) -> ResultError | None:
    """Return the one-line error of what a user can fix; None for any other."""
    fix = (_MACHINE_FIXES | _PATH_FIXES).get(error.errno or 0)
    if fix is None:
        return None
    where = str(error.filename or "results")
    if error.errno in _REFUSED and f"{_CACHE}/" in f"{where}/":
        fix = _CACHE_FIX
    reason = error.strerror or str(error)
    return SystemCallError(f"{reason}: {fix}", where=where)


def from_machine_error(error: Exception) -> ResultError | None:
    """Return the one-line error of a full or read-only disk and the like, which spare no file."""
    if isinstance(error, OSError) and error.errno in _MACHINE_FIXES:
        return from_os_error(error)
    return None
