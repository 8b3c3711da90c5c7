"""The attempts of a run: one small file for each in work/attempts."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from caduceus.io.files import files_below
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.folder import RunFolder

if TYPE_CHECKING:
    from caduceus.runs.files.export import Summary


def read_attempts(folder: Path) -> list[Attempt]:
    """Read every attempt, oldest first.

    Args:
        folder: the run's work/attempts.

    Raises:
        ResultError: the file of an attempt is damaged.
    """
    if not folder.is_dir():
        return []
    paths = sorted(folder.glob("[0-9]*.json"), key=lambda path: int(path.stem))
    return [Attempt.read(path) for path in paths]


def console_path(folder: Path, number: int) -> Path:
    """Return the file that keeps what the program printed in an attempt."""
    return folder / f"{number}.log"


def link_log(log: Path, console: Path) -> None:
    """Make `log` a link to the file that keeps what the program prints."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    log.symlink_to(os.path.relpath(console, log.parent))


def write_attempt(folder: Path, attempt: Attempt) -> None:
    """Write an attempt under its number."""
    attempt.write(folder / f"{attempt.number}.json")


def remote_attempt(summary: "Summary") -> Attempt:
    """Describe a remote run as one attempt: only the time of its last process is known."""
    return Attempt(
        attempt=None,
        state=summary.state,
        started_at=summary.started_at,
        host=summary.host,
        commit=summary.git.commit or None,
        wall_s=summary.runtime_s or 0.0,
        gpus=None,
    )


def active_s(folder: RunFolder, attempt: Attempt) -> float:
    """Return the seconds from an attempt's start to the last file that its program wrote."""
    known = [
        console_path(folder.attempts, attempt.number),
        *files_below(folder.wandb(attempt.number)),
    ]
    written = [path.stat().st_mtime for path in known if path.exists()]
    return max(0.0, max(written, default=attempt.start_s) - attempt.start_s)


def lost_s(attempt: Attempt, next_from: int | None, saved_at: float | None) -> float | None:
    """Return how many seconds of an attempt the next attempt didn't use.

    Args:
        attempt: an attempt that another one followed.
        next_from: the step from which that one resumed; None if it started afresh.
        saved_at: when the checkpoint that it restored was saved, in seconds since 1970.

    Returns:
        The time after the checkpoint; None if it isn't known when that was saved.
    """
    if next_from is None:
        return attempt.wall_s
    if saved_at is None:
        return None
    return round(min(attempt.wall_s, max(0.0, attempt.start_s + attempt.wall_s - saved_at)), 3)
