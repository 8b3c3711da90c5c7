"""Failures of what the paper shows: one that can't be made costs only itself.

A figure, a table, a group's export and the like are entries. The job of one that fails writes its
files all the same, with the reason in place of results, and a file below results/failed/ that the
last job of a build, `caduceus status` and the report read. It has no rule of its own, since it
exists only where something failed.
"""

import re
import sys
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import CaduceusError, ResultError, from_machine_error, from_os_error
from caduceus.io.cells import csv_line
from caduceus.io.csv_rows import cell_lists
from caduceus.io.files import is_file, write_json, write_whole
from caduceus.io.json_records import Record
from caduceus.io.markdown import markdown_text
from caduceus.io.names import is_safe_path
from caduceus.io.phrases import printable

FOLDER = "failed"  # in results/
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # of an object, other in each process
_ERROR = "error"
_LONGEST = 300  # letters of an unexpected error


@dataclass(frozen=True, kw_only=True)
class FailedEntry(Record):
    """An entry that couldn't be made, or some parts of which couldn't.

    Attributes:
        item: its name below results/, such as figures/NAME, tables/NAME, claims, groups/NAME.
        errors: what is wrong, a line for each failed part.
        files: what its jobs write, relative to results/.
    """

    item: str
    errors: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """An entry that is being made.

    Attributes:
        item: see `FailedEntry`.
        results: the folder results/.
        files: what its jobs write.
        log: the job's log, which gets the tracebacks of unexpected errors.
    """

    item: str
    results: Path
    files: Sequence[Path] = ()
    log: Path | None = None

    @property
    def record(self) -> Path:
        """The file that exists if the entry has failed."""
        return self.results / FOLDER / f"{self.item}.json"

    @contextmanager
    def costs_only_itself(self, write_failed: Callable[[str], None]) -> Iterator[list[str]]:
        """Record what is raised inside, and go on; a full disk and the like are raised.

        Args:
            write_failed: writes the entry's files with an error in place of results.

        Yields:
            A list, for the lines on parts that failed.
        """
        errors: list[str] = []
        try:
            yield errors
        except Exception as error:
            if known := from_machine_error(error):
                raise known from error
            errors.append(self.line(error))
            write_failed(errors[-1])
        if not errors:
            self.record.unlink(missing_ok=True)
            return
        files = tuple(path.relative_to(self.results).as_posix() for path in self.files)
        FailedEntry(item=self.item, errors=tuple(errors), files=files).write(self.record)
        for line in errors:
            print(f"caduceus: failed, others go on: {printable(line)}", file=sys.stderr)
            self._note(f"{line}\n")

    def line(self, error: Exception, part: str = "") -> str:
        """Return an error as a line that names the entry, or a part of it such as claims/NAME."""
        name = part or self.item
        known = from_os_error(error) if isinstance(error, OSError) else None
        if known or isinstance(error, CaduceusError):
            line = str(known or error)
        else:
            self._note("".join(traceback.format_exception(error)))
            line = _internal(error) + (f"; {self.log} has the traceback" if self.log else "")
        is_named = line.startswith(f"paper.{name.replace('/', '.', 1)}")
        return line if is_named else f"{name}: {line}"

    def _note(self, text: str) -> None:
        """Append a text to the job's log."""
        if self.log is not None:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("a") as stream:
                stream.write(text)


def write_failed_files(files: Iterable[Path], error: str) -> None:
    """Write CSV, JSON and Markdown files that hold an error in place of results.

    A CSV file has the one column `error`, a JSON file the one key.
    """
    for path in files:
        if path.suffix == ".csv":
            write_whole(path, csv_line([_ERROR]) + csv_line([error]))
        elif path.suffix == ".json":
            write_json(path, {_ERROR: error})
        else:
            write_whole(path, f"**Failed:** {markdown_text(error)}\n")


def refuse_failed(table: Path) -> None:
    """Refuse the CSV file of an entry that failed.

    Raises:
        ResultError: it holds an error, which is the message.
    """
    lines = cell_lists(table)
    if next(lines, None) == [_ERROR]:
        raise ResultError(next(lines, [""])[0], str(table))


def recorded(results: Path) -> list[FailedEntry]:
    """Return every entry that is recorded as failed, also one that nothing plans any more."""
    return [FailedEntry.read(path) for path in sorted((results / FOLDER).rglob("*.json"))]


def clear_failed(results: Path) -> list[str]:
    """Delete the files of all entries that failed, so that they are made again; return the names.

    The record goes last: what a killed call leaves is cleared by the next.
    """
    cleared = []
    for path in sorted((results / FOLDER).rglob("*.json")):
        failed = FailedEntry.read(path)
        for name in failed.files:
            if is_safe_path(name):
                (results / name).unlink(missing_ok=True)
        path.unlink()
        cleared.append(failed.item)
    return cleared


def _internal(error: Exception) -> str:
    """Return an unexpected error as one line, with the place where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = _ADDRESS.sub("", " ".join(repr(error).split()))[:_LONGEST]
    return f"internal error: {text} in {Path(last.filename).name}, line {last.lineno}"


def failed_entries(results: Path, items: Collection[str]) -> list[FailedEntry]:
    """Return those of the entries `items` that have failed, in their order."""
    return [
        FailedEntry.read(path) for item in items if is_file(path := Entry(item, results).record)
    ]
