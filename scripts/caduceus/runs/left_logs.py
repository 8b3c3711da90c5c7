"""The logs that an attempt at a run left: recorded when it ends, and compared when they are read.

A log that is cut off later, as by a disk fault or a partial copy, reads like that of a program that
logged less. Only what was recorded tells them apart.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
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


def lost_logs(folder: RunFolder) -> list[tuple[Path, str]]:
    """Return the logs that a run's export needs and that are gone or have changed, each with how.

    Every start of Snakemake asks this of many runs, so files are read as plain JSON, and a log's
    content is compared only if it was written later than the record of it.

    Args:
        folder: the folder of a run that isn't a further run.
    """
    found: list[tuple[Path, str]] = []
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):  # damaged files
        attempts = json.loads(folder.train_json.read_bytes())["attempts"]
        finished = [at for at, each in enumerate(attempts[:-1]) if each["state"] == "finished"]
        for each in attempts[finished[-1] + 1 if finished else 0 :]:  # as `last_training`
            home = folder.wandb(each["attempt"])
            found.append((home, "" if home.exists() else "it is gone"))
            left = {home / log: FileDigest(**of) for log, of in (each.get("logs") or {}).items()}
            found += _lost(left, each["state"], folder.train_json)
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        logs = json.loads(folder.upload_json.read_bytes()).get("logs")
        home = folder.wandb("upload")
        left = {home / log: FileDigest(**of) for log, of in (logs or {}).items()}
        found += _lost(left, "finished", folder.upload_json)
    return [(log, how) for log, how in found if how]


def _lost(left: Mapping[Path, FileDigest], state: str, record: Path) -> list[tuple[Path, str]]:
    recorded_ns = record.stat().st_mtime_ns
    return [(log, _difference(log, known, state, recorded_ns)) for log, known in left.items()]


def are_logs_lost(folder: RunFolder) -> bool:
    """Return whether logs of an ended run are lost, so that no export can be made from them.

    An unpacked archive has neither the code nor the logs of its runs, nor those from a server.

    Args:
        folder: the folder of a run that isn't a further run.
    """
    if folder.server.exists():
        return False
    return not folder.code.exists() or bool(lost_logs(folder))


def _changed(
    folder: RunFolder, home: Path, left: Mapping[str, FileDigest] | None, state: str
) -> Iterator[tuple[Path, str]]:
    """Yield changed logs in a W&B folder; of a further run only its own, as it shares the rest."""
    for name, file in (left or {}).items():
        is_own = not folder.is_further or Path(name).stem == f"run-{folder.path.name}"
        if is_own and (what := _difference(home / name, file, state)):
            yield home / name, what


def _has_end(folder: RunFolder, attempt: Attempt) -> bool:
    """Whether the log of an attempt of which no log was recorded ends as that attempt did."""
    if attempt.state != "finished" or attempt.was_stopped or folder.is_further:
        return True
    try:
        return is_whole(folder, attempt.number)
    except LogError:
        return False


def _difference(log: Path, left: FileDigest, state: str, same_until_ns: int = -1) -> str:
    """Return how a log differs from what was left; empty if it doesn't.

    wandb's own process may outlive a program that was killed with its supervisor, and may then add
    to the log. A finished attempt's has ended.

    Args:
        log: the log.
        left: its size and digest when the attempt had ended.
        state: of the attempt.
        same_until_ns: the time up to which a log of that size counts as the same unread.
    """
    try:
        now = log.stat()
    except FileNotFoundError:
        return f"the log of {left.bytes:,} bytes is gone"
    size = now.st_size
    if size < left.bytes or (size > left.bytes and state == "finished"):
        return f"the log has {size:,} bytes; {left.bytes:,} were left by the run"
    if now.st_mtime_ns > same_until_ns and _digest(log, left.bytes) != left.sha256:
        return "the log isn't what the run left"
    return ""


def _digest(path: Path, size: int) -> str:
    """Return the sha256 of the first `size` bytes of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while size > 0 and (chunk := stream.read(min(size, _CHUNK))):
            digest.update(chunk)
            size -= len(chunk)
    return digest.hexdigest()
