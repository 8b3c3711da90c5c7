"""Read the ledgers of tries below results/tries, for the board, the report and assistants.

`caduceus try` writes them meanwhile. A file that can't be read costs only itself: it is a line of
`damage`. The numbers of a try that isn't decided are left out: see `Try.decided`.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from caduceus.errors import CaduceusError, ResultError
from caduceus.io.csv_rows import cell_lists
from caduceus.runs.files.tries import Ledger, LedgerFolder, Try
from caduceus.runs.try_ledgers import TryLedger, lost_numbers

_Content = TypeVar("_Content")
_RECORD = re.compile(r"(\d{4,})\.json")


def read_try_ledger(folder: LedgerFolder) -> TryLedger:
    """Read a ledger."""
    return _CachedFolder(folder).read()


class LedgerReader:
    """Reads the ledgers of results/, each file again only when it has changed.

    Attributes:
        ledgers: by name.
    """

    def __init__(self, results: Path):
        self.ledgers: dict[str, TryLedger] = {}
        self._tries = results / "tries"
        self._folders: dict[str, _CachedFolder] = {}

    def refresh(self) -> set[str]:
        """Read what has changed since the last call; return the names of changed ledgers."""
        changed = set()
        found = {name: self._folders.get(name) for name in _folder_names(self._tries)}
        for name in self.ledgers.keys() - found.keys():
            del self.ledgers[name]
            changed.add(name)
        self._folders = {
            name: cached or _CachedFolder(LedgerFolder(self._tries / name))
            for name, cached in found.items()
        }
        for name, cached in self._folders.items():
            if not cached.has_changed():
                continue
            ledger = cached.read()
            changed.add(name)
            if ledger.ledger or ledger.tries or ledger.damage:
                self.ledgers[name] = ledger
            else:  # a snapshot of the code is there, and the ledger isn't yet
                self.ledgers.pop(name, None)
        return changed


_FileState = tuple[int, int, int, bool]  # inode, size, time of change, whether it is a file


class _CachedFolder:
    """The files of a ledger, with what was read of each and when."""

    def __init__(self, folder: LedgerFolder):
        self._folder = folder
        self._states: dict[str, _FileState] | None = None
        self._tries: dict[str, tuple[_FileState, Try | str]] = {}
        self._ledger: tuple[_FileState, Ledger | str] | None = None
        self._listed: tuple[_FileState, int | str] | None = None

    def has_changed(self) -> bool:
        return self._states is None or dict(self._scan()) != self._states

    def read(self) -> TryLedger:
        states = self._states = dict(self._scan())
        ledger = self._read_ledger(states.get("ledger.json"))
        listed = self._read_table(states.get("tries.csv"))
        names = sorted(filter(_RECORD.fullmatch, states), key=lambda name: (len(name), name))
        known, self._tries = self._tries, {}
        for name in names:
            before = known.get(name)
            is_same = before is not None and before[0] == states[name]
            self._tries[name] = (
                before if before and is_same else (states[name], self._read_try(name, states[name]))
            )
        found = [each for _, each in self._tries.values()]
        tries = [each for each in found if isinstance(each, Try)]
        if ledger is None and (names or listed):
            ledger = f"{self._folder.ledger}: is gone; {Ledger.mend}"
        damage = [each for each in (ledger, listed) if isinstance(each, str)]
        lost = [each for each in found if isinstance(each, str)]
        lost += self._lost(names, listed if isinstance(listed, int) else 0)
        return TryLedger(
            folder=self._folder,
            ledger=ledger if isinstance(ledger, Ledger) else None,
            tries=tuple(tries),
            damage=(*damage, *lost),
            is_complete=not lost,
        )

    def _lost(self, names: Sequence[str], listed: int) -> Iterator[str]:
        numbers = [int(name.partition(".")[0]) for name in names]
        for number in lost_numbers(numbers, listed):
            record = self._folder.record(number)
            yield f"{record}: isn't the one record of try {number}; {Try.mend}"

    def _read_ledger(self, state: _FileState | None) -> Ledger | str | None:
        if state is None:
            self._ledger = None
            return None
        if self._ledger is None or self._ledger[0] != state:
            self._ledger = state, _read(Ledger.read, self._folder.ledger, state)
        return self._ledger[1]

    def _read_table(self, state: _FileState | None) -> int | str:
        """Return how many tries the table has, or what is wrong with it."""
        if state is None:
            self._listed = None
            return 0
        if self._listed is None or self._listed[0] != state:
            self._listed = state, _read(_count_rows, self._folder.table, state)
        return self._listed[1]

    def _read_try(self, name: str, state: _FileState) -> Try | str:
        path = self._folder.path / name
        found = _read(Try.read, path, state)
        if isinstance(found, str):
            return found
        if self._folder.record(found.number) != path:
            return f"{path}: is a record of try {found.number}; {Try.mend}"
        return found.decided

    def _scan(self) -> Iterator[tuple[str, _FileState]]:
        try:
            with os.scandir(self._folder.path) as entries:
                for entry in entries:
                    if entry.name in ("ledger.json", "tries.csv") or _RECORD.fullmatch(entry.name):
                        about = entry.stat()
                        is_file = stat.S_ISREG(about.st_mode)
                        yield entry.name, (about.st_ino, about.st_size, about.st_mtime_ns, is_file)
        except OSError:  # it has just been removed
            return


def _read(read: Callable[[Path], _Content], path: Path, state: _FileState) -> _Content | str:
    """Return the content of a file, or what is wrong with it as one line."""
    if not state[3]:
        return f"{path}: isn't a file; {Try.mend}"
    try:
        return read(path)
    except CaduceusError as error:
        return str(error)
    except (OSError, ValueError, RecursionError) as error:
        return f"{path}: can't be read ({type(error).__name__}); {Try.mend}"


def _count_rows(path: Path) -> int:
    """Return how many tries a table has.

    Raises:
        ResultError: it isn't CSV.
    """
    try:
        return max(0, sum(1 for _ in cell_lists(path)) - 1)
    except ResultError as error:
        how = error.message.partition(";")[0]
        raise ResultError(f"{how}; the next `caduceus try` writes it again", str(path)) from None


def _folder_names(path: Path) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(each.name for each in entries if each.is_dir(follow_symlinks=False))
    except OSError:
        return []
