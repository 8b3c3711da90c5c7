"""Read the ledgers of tries below results/tries, for the board, the report and assistants.

`caduceus try` writes them meanwhile. A file that can't be read costs only itself: it is a line of
`damage`. The numbers of a try that isn't decided are left out, since who looks at them and stops
when they please is wrong more often than the ledger's level says.
"""

import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Literal, TypeVar

from caduceus.errors import CaduceusError, ResultError
from caduceus.io.csv_rows import cell_lists
from caduceus.runs.files.export import Summary
from caduceus.runs.files.tries import Code, Ledger, LedgerFolder, Try
from caduceus.runs.folder import RunFolder
from caduceus.runs.try_designs import design_of
from caduceus.runs.variants import leaves
from caduceus.statistics.tries import Design, Outcome, level_of_try

_Content = TypeVar("_Content")
State = Literal["running", "kept", "discarded", "undecided", "refused", "failed"]
_RECORD = re.compile(r"(\d{4,})\.json")


def state_of_try(tried: Try) -> State:
    """Return a try's verdict; `failed` if it was discarded because a run of it has no value."""
    return "failed" if (tried.verdict, tried.reason) == ("discarded", "failed") else tried.verdict


@dataclass(frozen=True)
class Pair:
    """The two runs of a seed that a try was decided by: its own and the incumbent's."""

    phase: Literal["screening", "confirmation"]
    seed: int
    own: str
    incumbent: str


def pairs_of(tried: Try) -> tuple[Pair, ...]:
    """Return the pairs of runs that a decided try was decided by, in order."""
    count = len(tried.runs) // 2
    is_confirmed = tried.result is not None and tried.result.phase == "confirmation"
    fresh = min(tried.result.pairs, count) if tried.result and is_confirmed else 0
    screened = [seed for seed in tried.seeds if seed not in tried.left_out][: count - fresh]
    confirmed = [seed for seed in tried.fresh if seed not in tried.left_out][:fresh]
    found: list[Pair] = []
    for place, seed in enumerate((*screened, *confirmed)):
        own, incumbent = tried.runs[2 * place : 2 * place + 2]
        phase: Literal["screening", "confirmation"] = (
            "screening" if place < len(screened) else "confirmation"
        )
        found.append(Pair(phase, seed, own, incumbent))
    return tuple(found)


@dataclass(frozen=True)
class ErrorBudget:
    """What a ledger's confirmations have taken of its level, the chance of a false keep.

    Attributes:
        level: the level of all tries together.
        spent: what confirmations have taken that didn't keep their try.
        at_stake: the part of `spent` that running confirmations take; a keep gives it back.
        next: the level of a confirmation that would begin now.
    """

    level: float
    spent: float
    at_stake: float
    next: float

    @property
    def left(self) -> float:
        """What later confirmations share."""
        return max(0.0, self.level - self.spent)


@dataclass(frozen=True)
class Incumbent:
    """Code that was the best at its time, and the try that was kept for it; None for the first."""

    code: Code
    kept: Try | None


@dataclass(frozen=True)
class IncumbentValues:
    """The metrics of an incumbent, each a mean over runs with the same seeds.

    Attributes:
        number: the try that was kept; 0 for the first incumbent.
        search: the metric that decides; None if no run of it is there.
        holdout: the holdout's metric; None if that wasn't opened, or has no value.
    """

    number: int
    search: float | None
    holdout: float | None


@dataclass(frozen=True)
class TryLedger:
    """A ledger of tries.

    Attributes:
        folder: its folder.
        ledger: what is fixed before the first try; None if that can't be read.
        tries: those that can be read, in the order of their numbers; the running ones without
            results.
        damage: a line for each file that can't be read or is lost.
        is_complete: whether the record of every try has been read.
    """

    folder: LedgerFolder
    ledger: Ledger | None
    tries: tuple[Try, ...]
    damage: tuple[str, ...]
    is_complete: bool

    @property
    def name(self) -> str:
        """The ledger's name."""
        return self.folder.path.name

    @cached_property
    def settled(self) -> Ledger:
        """What is fixed before the first try.

        Raises:
            ResultError: it can't be read.
        """
        if self.ledger is None:
            raise ResultError(self.damage[0])
        return self.ledger

    @cached_property
    def states(self) -> Mapping[State, int]:
        """The number of tries in each state."""
        return Counter(map(state_of_try, self.tries))

    @property
    def openings(self) -> int:
        """How often the holdout has been opened."""
        return sum(each.holdout is not None for each in self.tries)

    @property
    def incumbents(self) -> tuple[Incumbent, ...]:
        """The first incumbent and those that were kept after it; the last is the present one.

        Raises:
            ResultError: ledger.json can't be read.
        """
        kept = (Incumbent(each.code, each) for each in self.tries if each.verdict == "kept")
        return Incumbent(self.settled.first, None), *kept

    @cached_property
    def budget(self) -> ErrorBudget:
        """What the tries have taken of the level.

        Raises:
            ResultError: ledger.json can't be read, or a try, whose share is then unknown.
        """
        design = design_of(self.settled)
        if not self.is_complete:
            raise ResultError(f"the error budget isn't known: {self.damage[-1]}")
        outcomes = [
            (Outcome(level_of_confirmation(each, design), each.verdict == "kept"), each.verdict)
            for each in self.tries
        ]
        lost = [(outcome.level, verdict) for outcome, verdict in outcomes if not outcome.is_kept]
        return ErrorBudget(
            level=design.level,
            spent=sum(level for level, _ in lost),
            at_stake=sum(level for level, verdict in lost if verdict == "running"),
            next=level_of_try(design, [outcome for outcome, _ in outcomes]),
        )

    @cached_property
    def runs(self) -> frozenset[str]:
        """The ids of the runs that its tries were trained for or decided by."""
        return frozenset(
            run
            for each in self.tries
            for run in (*each.trained, *each.runs, *(each.holdout.runs if each.holdout else ()))
        )


def level_of_confirmation(tried: Try, design: Design) -> float:
    """Return what a try's confirmation took of the ledger's level; 0 if it was never opened."""
    if not tried.fresh:
        return 0.0
    return level_of_try(design, [Outcome(each.level, each.is_kept) for each in tried.earlier])


def lost_numbers(numbers: Sequence[int], listed: int) -> list[int]:
    """Return the numbers of tries that should have one record and don't.

    Args:
        numbers: of the tries with a record.
        listed: how many tries the table has.
    """
    counts = Counter(numbers)
    last = max((listed, len(numbers), *numbers))
    return [number for number in range(1, last + 1) if counts[number] != 1]


def incumbent_values(
    found: TryLedger, value: Callable[[str, str], float | None]
) -> tuple[IncumbentValues, ...]:
    """Return the metrics of all incumbents of a ledger, the first one's first.

    Where a holdout was opened, the metric that decides is taken of the same seeds; else of the
    fresh seeds that confirmed the try. That of the first incumbent is of the seeds of the first try
    that was kept, or else of the last one that it was compared with.

    Args:
        found: the ledger.
        value: returns a metric of a run, given the run's id and the metric's name.

    Raises:
        ResultError: ledger.json can't be read.
    """
    metric, (first, *kept) = found.settled.metric.name, found.incumbents
    against = [each for each in found.tries if each.against == first.code.id and each.result]
    best = [each for each in against if each.verdict == "kept"] or against[-1:]
    firsts = [pair.incumbent for each in best for pair in _deciding(each)]
    values = [IncumbentValues(0, _mean([value(run, metric) for run in firsts]), None)]
    for incumbent in kept:
        tried = incumbent.kept
        if tried is None:
            continue
        held = tried.holdout
        search = held.search if held else None
        if search is None:
            search = _mean([value(pair.own, metric) for pair in _deciding(tried)])
        values.append(IncumbentValues(tried.number, search, held.value if held else None))
    return tuple(values)


def summary_value(results: Path, run: str, metric: str) -> float | None:
    """Return a metric of a finished run from its summary; None if there is no number."""
    try:
        summary = Summary.read_if_there(RunFolder(results / "runs" / run).summary_json)
    except (CaduceusError, OSError):
        return None
    if summary is None or summary.state != "finished":
        return None
    found = dict(leaves(summary.summary)).get(metric)
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number and isinstance(found, int | float) else None


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
        return replace(found, result=None) if found.verdict == "running" else found

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


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _deciding(tried: Try) -> list[Pair]:
    """Return the pairs of the phase that decided a try."""
    phase = tried.result.phase if tried.result else ""
    return [pair for pair in pairs_of(tried) if pair.phase == phase]
