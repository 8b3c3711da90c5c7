"""Shorten what Snakemake says of a full disk, or of a folder that is locked, to a line each."""

import logging
import sys
from functools import partial
from pathlib import Path

from caduceus.errors import CaduceusError, from_os_error


def shorten_errors() -> None:
    """Replace tracebacks of errors that a user can mend by one line each in Snakemake's log."""
    log = logging.getLogger("snakemake.logging")
    if _shorten not in log.filters:
        log.addFilter(_shorten)
    for handler in log.handlers:
        if isinstance(handler, logging.FileHandler):
            vars(handler)["handleError"] = partial(_drop, handler)


def _drop(handler: logging.Handler, record: logging.LogRecord) -> None:
    """Leave a record out of a log file on a full disk, where Python would print a traceback."""
    if not isinstance(sys.exc_info()[1], OSError):
        logging.Handler.handleError(handler, record)


def _shorten(record: logging.LogRecord) -> bool:
    """Shorten a record of the exception that is being handled, as a filter that lets all pass."""
    if record.levelno >= logging.ERROR and (line := _line_of(sys.exc_info()[1])):
        record.msg, record.args = f"caduceus: {line}", ()
    return True


def _line_of(error: BaseException | None) -> str:
    """Return what the user can mend as a line; empty for any other error."""
    if isinstance(error, OSError):
        what, _, mend = str(from_os_error(error) or "").rpartition(": ")
        return what and f"{what}; {mend}"
    if type(error).__name__ != "LockException":  # by name, as Snakemake is slow to import
        return ""
    from caduceus.system.snakemake_lock import why_refused  # it takes psutil, which starts slowly

    try:
        return str(why_refused(Path()))
    except CaduceusError as damage:
        return str(damage)
