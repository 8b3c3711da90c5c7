"""The logs that an attempt at a run left: recorded when it ends, and compared when they are read.

A log that is cut off later, as by a disk fault or a partial copy, reads like that of a program that
logged less. Only what was recorded tells them apart.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.files import FileDigest, describe
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.upload import Upload
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import is_whole, last_training
from caduceus.wandb_log import LogError

_CHUNK = 1 << 20  # bytes read at a time while hashing


def left_logs(folder: RunFolder, number: int | str) -> Mapping[str, FileDigest]:
    """Return size and sha256 of each log of an attempt, by its path in the attempt's W&B folder."""
    home = folder.wandb(number)
    logs = sorted(path for path in home.glob("wandb/*run-*/run-*.wandb") if path.is_file())
    return describe(home, logs)


def check_logs(folder: RunFolder, attempts: Sequence[Attempt]) -> None:
    """Check that the logs of a run that has ended are those that its attempts left.

    Args:
        folder: the run's folder.
        attempts: all attempts, oldest first.

    Raises:
        ResultError: a log is gone, or has other content.
    """
    for log, what in changed_logs(folder, attempts):
        mend = f"restore it from a copy, or delete {folder.owner} to have the run made again"
        raise ResultError(f"{what}; {mend}", str(log))


def changed_logs(folder: RunFolder, attempts: Sequence[Attempt]) -> Iterator[tuple[Path, str]]:
    """Yield each log of a run that isn't what an attempt left, and how it differs.

    Args:
        folder: the run's folder.
        attempts: all attempts, oldest first.
    """
    for attempt in last_training(attempts):
        home = folder.wandb(attempt.number)
        if attempt.logs is None and not _has_end(folder, attempt):
            yield home, "a log has no record of the run's end, which the program had left"
        yield from _changed(folder, home, attempt.logs, attempt.state)
    upload = Upload.read_if_there(folder.upload_json)
    yield from _changed(folder, folder.wandb("upload"), upload.logs if upload else None, "finished")


def _changed(
    folder: RunFolder, home: Path, left: Mapping[str, FileDigest] | None, state: str
) -> Iterator[tuple[Path, str]]:
    """Yield changed logs in a W&B folder; of a further run only its own, as it shares the rest."""
    for name, file in (left or {}).items():
        is_own = not folder.is_further or Path(name).stem == f"run-{folder.path.name}"
        if is_own and (what := difference(home / name, file, state)):
            yield home / name, what


def _has_end(folder: RunFolder, attempt: Attempt) -> bool:
    """Whether the log of an attempt of which no log was recorded ends as that attempt did."""
    if attempt.state != "finished" or attempt.was_stopped or folder.is_further:
        return True
    try:
        return is_whole(folder, attempt.number)
    except LogError:
        return False


def has_content(log: Path, left: FileDigest) -> bool:
    """Return whether a log begins with what was left."""
    return _digest(log, left.bytes) == left.sha256


def difference(
    log: Path,
    left: FileDigest,
    state: str,
    is_equal: Callable[[Path, FileDigest], bool] = has_content,
) -> str:
    """Return how a log differs from what was left; empty if it doesn't.

    wandb's own process may outlive a program that was killed with its supervisor, and may then add
    to the log. A finished attempt's has ended.

    Args:
        log: the log.
        left: its size and digest when the attempt had ended.
        state: of the attempt.
        is_equal: compares the contents of a log that is long enough.
    """
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return f"the log of {left.bytes:,} bytes is gone"
    if size < left.bytes or (size > left.bytes and state == "finished"):
        return f"the log has {size:,} bytes; {left.bytes:,} were left by the run"
    return "" if is_equal(log, left) else "the log isn't what the run left"


def _digest(path: Path, size: int) -> str:
    """Return the sha256 of the first `size` bytes of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while size > 0 and (chunk := stream.read(min(size, _CHUNK))):
            digest.update(chunk)
            size -= len(chunk)
    return digest.hexdigest()
