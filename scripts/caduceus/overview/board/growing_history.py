"""The history of a run that isn't exported yet, read from its growing logs."""

import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from caduceus.exports.history_columns import TIME_COLUMNS
from caduceus.overview.board.columns import Column
from caduceus.overview.board.log_tail import LogTail, ReplacedLogError
from caduceus.overview.board.media_items import MediaLog, media_names
from caduceus.overview.board.plan_index import state_of_file
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.export import STEP
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import logs_of_attempt, stitch_attempts
from caduceus.wandb_log import LogError, Part, Row, has_rows
from caduceus.wandb_log.definitions import MetricDefinition, defined_metrics
from caduceus.wandb_log.stitching import keep

_LAST_NAMES = 60  # metrics of which the last value is shown beside the run
_MOST_NAMES = 2000  # metrics of a run; a program that makes a name for each step has no curves
_ROWS_AT_ONCE = 200  # between two looks at the clock
_NO_NUMBER = frozenset('"[{tfn')  # how other JSON begins: text, list, mapping, true, false, null
_RUNTIME, _TIMESTAMP = TIME_COLUMNS
_IS_SYSTEM = re.compile(r"system[/.]")


@dataclass
class _Source:
    """A log of the run and its part in it."""

    part: Part
    tail: LogTail
    had_rows: bool


@dataclass
class Grown:
    """The rows that a run has logged so far.

    Attributes:
        rows: how many rows belong to the run.
        samples: how many samples of the system W&B has taken beside them.
        step: the step of the last one.
        updated_at: when it was written, in seconds since 1970.
        last: the last number of each metric, at most `_LAST_NAMES`.
        starts: the first steps of attempts that went on from earlier rows.
        damage: a line for each log that can't be read as a whole.
        left_out: how many metrics have no curve, as there are too many.
    """

    rows: int = 0
    samples: int = 0
    step: int | None = None
    updated_at: float | None = None
    last: dict[str, float] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    left_out: int = 0

    @property
    def diverged(self) -> list[str]:
        """The metrics whose last number isn't finite."""
        return [name for name, value in self.last.items() if not math.isfinite(value)]


class GrowingHistory:
    """Reads what a run logs, from where the last call ended.

    Columns can be dropped to free their memory; they are read again when they are asked for.

    Attributes:
        grown: the counts and last values, which are never dropped.
        columns: by metric; those of W&B's system metrics have their own rows, see `stats`.
        stats: W&B's own system metrics, and `_runtime` of their samples.
        epoch: grows whenever rows that were read before may no longer hold.
    """

    def __init__(self, folder: RunFolder):
        self._folder = folder
        self._attempts: Sequence[Attempt] = ()
        self._sources: list[_Source] = []
        self._seen: object = None  # the attempts and logs of which the run was made up
        self._listed: object = None  # what says that there may be other logs
        self._before: int | None = None
        self._place = 0  # of the source that is read
        self._is_kept = True
        self.epoch = 0
        self._clear()

    def _clear(self) -> None:
        self.grown = Grown()
        self.columns: dict[str, Column] = {}
        self.stats: dict[str, Column] = {}
        self.media = MediaLog()
        self._before, self._place = None, 0
        self.epoch += 1

    @property
    def bytes(self) -> int:
        """The memory that the columns take."""
        found = (*self.columns.values(), *self.stats.values())
        return sum(column.bytes for column in found) + self.media.bytes

    @property
    def definitions(self) -> dict[str, MetricDefinition]:
        """The metrics that the program gave an axis, or hid."""
        found: dict[str, MetricDefinition] = {}
        for source in self._sources:
            found |= source.tail.segment.metrics
        return defined_metrics(found, self.columns)

    @property
    def has_columns(self) -> bool:
        """Whether the columns are kept."""
        return self._is_kept

    def drop_columns(self) -> None:
        """Free the memory of the columns; counts and last values go on."""
        if self._is_kept:
            self._is_kept = False
            self.columns, self.stats, self.media = {}, {}, MediaLog()

    def restore_columns(self) -> None:
        """Keep columns from now on; the logs are read again."""
        if not self._is_kept:
            self._is_kept = True
            self._seen = None

    def update(self, attempts: Sequence[Attempt], budget_s: float = math.inf) -> bool:
        """Read what was logged since the last call, and return whether anything was.

        Args:
            attempts: the run's attempts, as they are now.
            budget_s: seconds after which the rest is left to the next call.
        """
        until = time.monotonic() + budget_s
        try:
            is_changed = self._find_sources(attempts)
            if self._has_awaited_rows():
                is_changed |= self._find_sources(attempts)
            while self._place < len(self._sources):
                is_changed |= self._read(self._sources[self._place], until)
                if time.monotonic() >= until or self._place == len(self._sources) - 1:
                    break
                self._before = self._sources[self._place].part.last or self._before
                self._place += 1
            return is_changed
        except ReplacedLogError:
            self._seen = None  # all is read again by the next call
            return True
        except (LogError, OSError) as error:
            return self.give_up(f"its log can't be read: {error}")

    def give_up(self, line: str) -> bool:
        """Show a line in place of what was read, until it can be read; whether that is new."""
        is_new = line not in self.grown.damage
        if self._sources or self.grown.rows:
            self._clear()
            self._sources = []
        self.grown.damage = [line]
        self._seen = None
        return is_new

    @property
    def is_behind(self) -> bool:
        """Whether the last call left something unread for want of time."""
        return self._is_behind

    _is_behind = False

    def _find_sources(self, attempts: Sequence[Attempt]) -> bool:
        """Find the logs of the run; start over if they, or their parts in the run, are others."""
        folder = self._folder.wandb(attempts[-1].number) / "wandb" if attempts else None
        listed = (attempts, folder and state_of_file(folder))
        if listed == self._listed and self._sources and self._seen is not None:
            return False
        self._listed = listed
        logs = [log for each in attempts for log in logs_of_attempt(self._folder, each.number)]
        seen = ([(each.number, each.state, each.resumed_from) for each in attempts], logs)
        if seen == self._seen:
            return False
        parts = stitch_attempts(self._folder, attempts)
        if self._seen is not None and self._holds(parts):
            self._seen = seen
            return False
        self._clear()
        self._sources = [_Source(part, LogTail(part.path), False) for part in parts]
        for source in self._sources:
            source.had_rows = len(attempts) == 1 or has_rows(source.part.path)
        self.grown.starts = [part.start for part in parts[1:] if part.start is not None]
        self._seen = seen
        return True

    def _has_awaited_rows(self) -> bool:
        """Whether a later attempt has its first rows now, which say where it went on.

        Before that it is taken for one that adds to the earlier rows.
        """
        source = self._sources[-1] if self._sources else None
        if source is None or source.had_rows or not source.tail.is_unread():
            return False
        if has_rows(source.part.path):
            self._listed = self._seen = None
            return True
        return False

    def _holds(self, parts: Sequence[Part]) -> bool:
        """Whether these are the parts that are being read."""
        return [(part.path, part.start, part.end) for part in parts] == [
            (source.part.path, source.part.start, source.part.end) for source in self._sources
        ]

    def _read(self, source: _Source, until: float) -> bool:
        """Read what was added to a log; return whether it has other rows or samples."""
        self._is_behind = False
        if not source.tail.is_unread():
            return False
        before = self.grown.rows, self.grown.samples
        for count, row in enumerate(source.tail.rows(), 1):
            kept = keep(source.part, row, self._before)
            if kept is not None:
                self._add(kept)
            if count % _ROWS_AT_ONCE == 0:
                self._add_stats(source)
                if time.monotonic() >= until:
                    self._is_behind = True
                    break
        self._add_stats(source)
        if source.tail.damage.is_corrupt:
            damage = source.tail.damage
            lost = damage.corrupt_blocks + damage.unreadable_records + damage.lost_records
            name = source.part.path.name
            self.grown.damage = [f"{name} is damaged: {lost} parts of it can't be read"]
        return (self.grown.rows, self.grown.samples) != before

    def _add(self, row: Row) -> None:
        grown = self.grown
        index = grown.rows
        grown.rows += 1
        media = tuple(f"{name}." for name in media_names(row))
        for name, number in _numbers(row):
            if media and name.startswith(media):
                continue
            if name == _TIMESTAMP:
                grown.updated_at = number
            if name[0] != "_" and (name in grown.last or len(grown.last) < _LAST_NAMES):
                grown.last[name] = number
            if self._is_kept:
                column = self.columns.get(name)
                if column is None:
                    if len(self.columns) >= _MOST_NAMES:
                        grown.left_out += 1
                        continue
                    column = self.columns[name] = Column()
                column.add(index, number)
        step = row.get(STEP, "0")
        grown.step = int(step) if step.isdecimal() else grown.step
        if self._is_kept:
            self.media.add(grown.step, row)

    def _add_stats(self, source: _Source) -> None:
        """Take W&B's own samples of system metrics."""
        run = source.tail.segment.run
        for sample in source.tail.segment.stats:
            index = self.grown.samples
            self.grown.samples += 1
            if not self._is_kept:
                continue
            start = run.start_time if run else sample.time
            self.stats.setdefault(_RUNTIME, Column()).add(index, sample.time - start)
            for name, number in _numbers(sample.values):
                self.stats.setdefault(f"system.{name}", Column()).add(index, number)
        source.tail.segment.stats.clear()


def is_system(metric: str) -> bool:
    """Whether a metric is one of the machine, sampled by us or by W&B."""
    return _IS_SYSTEM.match(metric) is not None


def _numbers(row: Row) -> Iterator[tuple[str, float]]:
    for name, text in row.items():
        if text and text[0] not in _NO_NUMBER:
            try:
                yield name, float(text)
            except ValueError:  # of a damaged log
                continue
