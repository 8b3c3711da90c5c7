"""Logs that ended runs have lost, as every start of Snakemake looks for them.

A log is read only if it may have changed since its record was written, and only until it was found
equal. An edit or a copy may give a file any time of modification, but the time at which its inode
changed is the file system's.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

from caduceus.io.files import FileDigest, canonical_json, digest_text
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import difference, has_content
from caduceus.system.stamp import FOLDER

_FILE = "equal_logs"  # below FOLDER: a digest of each state in which a log was found equal


def lost_logs(folder: RunFolder) -> list[tuple[Path, str]]:
    """Return the logs that a run's export needs and that are gone or have changed, each with how.

    Many runs are asked about at a time, so files are read as plain JSON.

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


def are_logs_lost(folder: RunFolder) -> bool:
    """Return whether logs of an ended run are lost, so that no export can be made from them.

    An unpacked archive has neither the code nor the logs of its runs, nor those from a server.

    Args:
        folder: the folder of a run that isn't a further run.
    """
    if folder.server.exists():
        return False
    return not folder.code.exists() or bool(lost_logs(folder))


def _lost(left: Mapping[Path, FileDigest], state: str, record: Path) -> list[tuple[Path, str]]:
    is_equal = partial(_is_equal, record.stat().st_mtime_ns)
    return [(log, difference(log, known, state, is_equal)) for log, known in left.items()]


def _is_equal(recorded_ns: int, log: Path, left: FileDigest) -> bool:
    """Compare a log with its record, which was written at `recorded_ns`, and remember that."""
    now = log.stat()
    if max(now.st_mtime_ns, now.st_ctime_ns) < recorded_ns:
        return True
    state = (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns, os.uname().nodename)
    key = digest_text(canonical_json([str(log), left.bytes, left.sha256, *state]))
    known = _known(Path.cwd())
    if key not in known and has_content(log, left):
        known.add(key)
        _remember(key)
    return key in known


@cache  # the lines that this process adds are in it, too
def _known(_project: Path) -> set[str]:
    try:
        return set((FOLDER / _FILE).read_text().split())
    except (OSError, ValueError):
        return set()


def _remember(key: str) -> None:
    if FOLDER.parent.is_dir():  # Snakemake has run here
        with suppress(OSError):  # such as a full disk: the log is read again
            FOLDER.mkdir(exist_ok=True)
            with (FOLDER / _FILE).open("a") as stream:
                stream.write(f"{key}\n")
