"""Infer from its rows where a process resumed a run that an earlier process had logged to.

A program that logs without `step=` starts at step 0 again, also when it has restored a checkpoint.
A metric that counts its progress tells the two cases apart: it starts again from its first value,
or from a later one. Any metric may be such a counter, whatever its name; its values decide.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from caduceus.wandb_log.reading import iter_contents
from caduceus.wandb_log.records import HISTORY, read_row
from caduceus.wandb_log.segments import Row, Segment
from caduceus.wandb_log.stitching import METRIC, Part, iter_run, step_of
from caduceus.wandb_log.wire import decode

# Names of counters by their last part; the first counts more, if two metrics have as many values.
COUNTERS = ("global_step", "step", "iteration", "epoch")
_READ = 1000  # rows of the later process
_SINCE_1970 = 1e9  # a counter doesn't start here, but a time in seconds does


class Evidence(StrEnum):
    """How it is known from which step a process resumed."""

    CHECKPOINT = "checkpoint"  # the program noted it when it restored one
    STEPS = "steps"  # the program logs with steps of its own
    METRIC = "metric"  # a metric counts its progress
    NOTHING = "nothing"  # nothing shows that it resumed


@dataclass(frozen=True)
class Resumption:
    """The step from which a process resumed a run, and how that is known.

    Attributes:
        step: its first step in the run; None for a fresh start.
        by: how it is known.
        metric: the metric that counts, if one does.
    """

    step: int | None
    by: Evidence
    metric: str | None = None


@dataclass
class _Later:
    """A possible counter in the rows of the later process.

    Attributes:
        first: its first value.
        rows_before: the steps before it in the log.
        is_whole: whether all values are whole numbers.
        last: its last value.
    """

    first: float
    rows_before: int
    is_whole: bool
    last: float


class _Earlier:
    """The values of a possible counter in the rows of the earlier processes.

    Args:
        wanted: the first value of the later process.
    """

    def __init__(self, wanted: float):
        self._wanted = wanted
        self.values: list[float] = []  # the first ones without repetitions: at most three
        self.distinct = 0
        self.last, self.last_step = math.nan, 0
        self.is_rising = self.is_whole = True
        self.is_in_rows = False  # whether a row has the wanted value
        self._from: int | None = None  # the step of the first row with it or a greater one
        self._stride = 0.0  # the greatest distance between two values
        self._spacing: set[tuple[float, int]] = set()  # distances of values and of their steps

    def add(self, value: float, step: int) -> None:
        """Add the value of the next row."""
        self.is_whole &= value.is_integer()
        self.is_rising &= not value < self.last
        if self._from is None and value >= self._wanted:
            self._from = step
        self.is_in_rows |= value == self._wanted
        if value != self.last:
            if self.distinct:
                self._stride = max(self._stride, value - self.last)
                if len(self._spacing) < 2:
                    self._spacing.add((value - self.last, step - self.last_step))
            if self.distinct < 3:
                self.values.append(value)
            self.distinct += 1
            self.last, self.last_step = value, step

    @property
    def has_resumed(self) -> bool:
        """Whether the later process starts above the first value.

        A value before the second that no row has is a fresh start of a counter with random
        distances, such as the steps of episodes.
        """
        if not self.values or self._wanted <= self.values[0]:
            return False
        return self.is_in_rows or self.distinct < 2 or self._wanted > self.values[1]

    @property
    def is_counter(self) -> bool:
        """Whether a metric whose name says nothing counts, and the later process fits to it.

        That starts with a value that an earlier row has, or with one that comes next.
        """
        if not (self.is_whole and self.distinct >= 2 and self.values[0] < _SINCE_1970):
            return False
        if self.distinct == 2:
            return self.is_in_rows or self._wanted == self.last + self._stride
        is_next = self._wanted <= self.last + self._stride or self._is_on_grid
        return self.is_in_rows or (self.has_resumed and is_next)

    @property
    def is_certain(self) -> bool:
        """Whether the later process starts above the first value, where an earlier row could be."""
        return self.has_resumed and (self.is_in_rows or self._is_on_grid)

    @property
    def _is_on_grid(self) -> bool:
        if len(self._spacing) != 1:
            return False
        [(distance, _)] = self._spacing
        return (self._wanted - self.last) % distance == 0

    @property
    def step(self) -> int | None:
        """The step at which the counter has the wanted value.

        Beyond the last value it is extrapolated, if all values have the same distance; else None.
        """
        if self._from is not None:
            return self._from
        if self._is_on_grid:
            [(distance, steps)] = self._spacing
            return self.last_step + round((self._wanted - self.last) / distance) * steps
        return None


def find_resumption(earlier: Sequence[Part], log: Path) -> Resumption:
    """Infer from which step the process that wrote `log` resumed.

    It is the step of the first row, if that isn't 0. Otherwise counters are compared with the
    earlier rows: metrics that never fall in either part. Those that the program declares as an x
    axis, or whose names end in one of `COUNTERS`, may have any values; others must be whole
    numbers, and start in the later part with a value that an earlier row has or that comes next.
    The counter with the most values decides: the process resumed if it starts above its first one.
    Where a known counter has surely resumed, those that start anew don't decide, such as an index
    of batches that each process counts from 0.

    Args:
        earlier: the parts of the run before; not empty.
        log: a log with at least one row.

    Raises:
        LogError: a file isn't a log.
    """
    axes, rows = _axes_and_rows(log)
    first_step = step_of(rows[0]) if rows else 0
    if first_step:
        is_first = earlier[0].start is None and first_step == _first_step(earlier)
        return Resumption(None if is_first else first_step, Evidence.STEPS)
    later = _later(rows)
    found, end = _earlier(earlier, later)
    named = {name: rank for name in found if (rank := _rank(name, axes)) is not None}
    deciding = [
        name
        for name, each in found.items()
        if name in named or (each.is_counter and later[name].is_whole)
    ]
    if not deciding:
        return Resumption(None, Evidence.NOTHING)
    if any(name in named and found[name].is_certain for name in deciding):
        deciding = [name for name in deciding if found[name].has_resumed]
    name = min(
        deciding,
        key=lambda n: (-found[n].distinct, named.get(n, math.inf), not found[n].has_resumed, n),
    )
    if not found[name].has_resumed:
        return Resumption(None, Evidence.METRIC, name)
    at = found[name].step
    step = end if at is None else at - later[name].rows_before
    return Resumption(step if step > 0 else None, Evidence.METRIC, name)


def goes_on_at(earlier: Sequence[Part], log: Path) -> int | None:
    """Return the step of `find_resumption`: None for a fresh start.

    Raises:
        LogError: a file isn't a log.
    """
    return find_resumption(earlier, log).step


def _axes_and_rows(log: Path) -> tuple[list[str], list[Row]]:
    """Return the x axes that a log declares, and its first rows."""
    axes: list[str] = []

    def rows() -> Iterator[Row]:
        for kind, content in iter_contents(Segment(log)):
            if kind == METRIC:
                axes.append(decode("Metric", content).step_metric)
            elif kind == HISTORY:
                yield read_row(content)

    found = list(islice(rows(), _READ))
    return axes, found


def _first_step(parts: Sequence[Part]) -> int | None:
    row = next(iter_run(parts), None)
    return None if row is None else step_of(row)


def _later(rows: Sequence[Row]) -> dict[str, _Later]:
    """Return the metrics that may count: those that never fall in the rows of the later process."""
    found: dict[str, _Later] = {}
    falling: set[str] = set()
    first_step = step_of(rows[0]) if rows else 0
    for row in rows:
        for name, text in row.items():
            value = None if name.startswith("_") or name in falling else _number(text)
            if value is None:
                continue
            if name not in found:
                before = step_of(row) - first_step
                found[name] = _Later(value, before, value.is_integer(), value)
            elif value < found[name].last:
                falling.add(name)
            else:
                found[name].last = value
                found[name].is_whole &= value.is_integer()
    return {name: each for name, each in found.items() if name not in falling}


def _earlier(parts: Sequence[Part], later: dict[str, _Later]) -> tuple[dict[str, _Earlier], int]:
    """Return the earlier values of metrics that never fall, and the step after the last row."""
    found = {name: _Earlier(each.first) for name, each in later.items()}
    end = 0
    for row in iter_run(parts):
        step = step_of(row)
        end = step + 1
        for name in found.keys() & row.keys():
            value = _number(row[name])
            if value is not None:
                found[name].add(value, step)
                if not found[name].is_rising:
                    del found[name]
    return {name: each for name, each in found.items() if each.distinct}, end


def _rank(name: str, axes: Sequence[str]) -> int | None:
    """Return the place of a declared axis or a known name; None of another metric."""
    if name in axes:
        return axes.index(name)
    last = name.split("/")[-1]
    return len(axes) + COUNTERS.index(last) if last in COUNTERS else None


def _number(text: str) -> float | None:
    """Return the finite number that JSON text stands for; None if it stands for none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
