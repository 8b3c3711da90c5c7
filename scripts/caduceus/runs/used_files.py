"""The files that a run used beyond its code: which of them have changed since it ran."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from caduceus.errors import ResultError, SpecError
from caduceus.io.files import sha256
from caduceus.runs import source_code
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.files.train import Train
from caduceus.runs.files.usage import UsedFile
from caduceus.runs.folder import RunFolder


@dataclass(frozen=True)
class Changes:
    """The files that a run used and that are no longer as they were.

    Attributes:
        changed: those with another content.
        missing: those that are gone.
        unknown: those other than Python's that changed before the run had ended; they may be
            files that it wrote itself.
    """

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def counted_attempts(attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    """Return the attempts whose rows are the run's: from the last fresh start on."""
    fresh = [index for index, each in enumerate(attempts) if each.resumed_from is None]
    return attempts[fresh[-1] if fresh else 0 :]


def used_files(attempts: Sequence[Attempt]) -> Iterator[tuple[str, UsedFile]]:
    """Yield the files that a run used beyond its code, each as each attempt read it."""
    for attempt in counted_attempts(attempts):
        if attempt.usage:
            yield from attempt.usage.files.items()


def changes_since(attempts: Sequence[Attempt], root: Path = Path()) -> Changes:
    """Compare the files that a run used with what they are now.

    A file is read only if its size or its time has changed. Comments and layout of a Python file
    don't count.

    Args:
        attempts: the run's.
        root: the project's folder.
    """
    found: dict[str, set[str]] = {"changed": set(), "missing": set(), "unknown": set()}
    for name, used in used_files(attempts):
        if what := _change(root / name, used, root):
            found[what].add(name)
    return Changes(**{what: tuple(sorted(names)) for what, names in found.items()})


def stale_files(folder: RunFolder, root: Path = Path()) -> tuple[str, ...]:
    """Return the changed files for which a run must be trained again: see `stale_since`.

    A run that wasn't trained here, or whose files are damaged, has none.
    """
    try:
        train = folder.train_json.read_bytes()
        # Every start of Snakemake comes here for every run; a `Train` takes eight times as long.
        if not any(_has_files(attempt) for attempt in json.loads(train)["attempts"]):
            return ()
        return stale_since(folder, Train.read(folder.train_json).attempts, root)
    except (OSError, ValueError, TypeError, AttributeError, LookupError, ResultError):
        return ()


def stale_since(
    folder: RunFolder, attempts: Sequence[Attempt], root: Path = Path()
) -> tuple[str, ...]:
    """Return the changed files for which a run must be trained again; empty if it needn't be.

    Only a finished run whose logs exist can be stale. Three kinds are kept: those of a sweep, since
    later trials go by their results, and those with `code: VERSION` or that were adopted, as the
    user decides.

    Args:
        folder: the run's folder.
        attempts: the run's.
        root: the project's folder.
    """
    if not attempts or attempts[-1].state != "finished" or not folder.code.is_dir():
        return ()
    if Identity.read(folder.run_json).sweep is not None:
        return ()
    params = Params.read(folder.params_json)
    if params.adopted or params.code.startswith("version "):
        return ()
    return changes_since(attempts, root).changed


def _has_files(attempt: dict[str, dict[str, object]]) -> bool:
    return bool(attempt.get("usage", {}).get("files"))


def _change(path: Path, used: UsedFile, root: Path) -> str | None:
    """Return what has become of a file, as `Changes` names it; None if it is the same."""
    try:
        status = path.stat()
        if (status.st_mtime_ns, status.st_size) == (used.mtime_ns, used.size):
            return None
        if used.sha256 is None:
            return "changed" if path.suffix == ".py" else "unknown"
        digest, tree = _digests(path, root, status.st_mtime_ns, status.st_size)
    except OSError:
        return "missing"
    is_equal = digest == used.sha256 or (tree is not None and tree == used.tree)
    return None if is_equal else "changed"


@cache  # many runs may have used the same large file
def _digests(path: Path, root: Path, mtime_ns: int, size: int) -> tuple[str, str | None]:
    """Return the sha256 of a file with this time and size, and that of a Python file's tree."""
    return sha256(path), tree_digest([path], root) if path.suffix == ".py" else None


def tree_digest(files: Iterable[Path], root: Path) -> str | None:
    """Return the digest of code; None if a file isn't Python that this version can parse."""
    try:
        return source_code.digest(files, root)
    except (SpecError, RecursionError):  # of a deeply nested expression
        return None
