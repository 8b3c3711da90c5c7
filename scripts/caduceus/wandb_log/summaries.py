"""The summary of a run that several processes wrote, as one process would have left it.

Each process sums up its own rows alone: the least loss of the last one isn't that of the run, and
what a killed one logged after its checkpoint isn't the run's at all.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caduceus.wandb_log.framing import Damage, RecordReader, open_log
from caduceus.wandb_log.records import (
    HISTORY,
    SUMMARY,
    metric_name,
    read_item,
    read_row,
    set_value,
    split_record,
    update,
)
from caduceus.wandb_log.segments import Row, Segment
from caduceus.wandb_log.stitching import Part, step_of
from caduceus.wandb_log.wire import WireError, decode, iter_fields
from caduceus.wandb_log.writing import EXIT, RUN, write_items

_AGGREGATES = {"first", "last", "min", "max", "mean"}  # what `define_metric(summary=...)` can name

Change = tuple[list[str], Any]  # keys that lead to a value, and the value


def summary_of(parts: Sequence[Part], segments: Sequence[Segment]) -> dict[str, Any]:
    """The summary of a run.

    Args:
        parts: as `stitch` arranges them, their rows counted.
        segments: of each part.

    Raises:
        LogError: a log can't be read.
    """
    found = [segment.summary for segment in segments]
    if must_be_replayed(parts, found):
        return replay(parts).values
    summary: dict[str, Any] = {}
    for values in found:
        for keys, value in _leaves(values):
            set_value(summary, keys, value)
    return summary


def must_be_replayed(parts: Sequence[Part], summaries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the summaries of the parts don't say it all, as they nearly always do.

    They don't where one sums up rows of several, or has what no later one has: a replaced row may
    have brought it, or it belonged to a dictionary that was set anew.
    """
    if sum(bool(part.rows or part.dropped) for part in parts) < 2:
        return False
    later: set[tuple[str, ...]] = set()
    for part, values in zip(reversed(parts), reversed(summaries), strict=True):
        names = {tuple(keys) for keys, _ in _leaves(values)}
        alone = names - later
        is_unsure = part.dropped or any(len(keys) > 1 for keys in alone)
        if (alone and later and is_unsure) or any(map(_is_aggregate, _inner(values))):
            return True
        later |= names
    return False


def _leaves(values: Mapping[str, Any]) -> Iterator[tuple[list[str], Any]]:
    """Keys and value of all that isn't a dictionary, or is an empty one."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from (([key, *keys], inside) for keys, inside in _leaves(value))
        else:
            yield [key], value


def _inner(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All dictionaries inside."""
    for value in values.values():
        if isinstance(value, dict):
            yield value
            yield from _inner(value)


def _is_aggregate(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and value.keys() <= _AGGREGATES


def replay(parts: Sequence[Part]) -> "RunSummary":
    """The summary after all records of `parts`, whose rows are counted."""
    summary = RunSummary()
    for part in parts:
        for _ in summary.follow(part, _contents(part.path)):
            pass
    return summary


def _contents(path: Path) -> Iterator[tuple[int, bytes]]:
    """As `iter_contents`, for whoever has read the log before."""
    with open_log(path) as stream:
        for payload in RecordReader(stream, Damage()).read():
            with suppress(WireError):
                yield split_record(payload)


class RunSummary:
    """What records leave as the summary of their run; `values` are nested as logged.

    W&B writes what a row changes in the summary before the row itself, and what the program sets
    where it sets it. What rows change that a later part replaces doesn't count; nor does what the
    program set after the first of these, unless it came to a good end.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._metrics: dict[str, _Metric] = {}

    def follow(
        self, part: Part, contents: Iterable[tuple[int, bytes] | None]
    ) -> Iterator[tuple[int, bytes] | None]:
        """Take in the records of a part, and yield them with the run's summary in place of its own.

        Args:
            part: whose `shift` is known, unless none of its rows is replaced.
            contents: kind and content of each record, and None whenever there is nothing new.
        """
        progress = _Progress()
        for found in contents:
            try:
                yield from [found] if found is None else self._take(part, progress, *found)
            except (ValueError, RecursionError):  # damaged, which whoever reads the log has counted
                yield found
        if not progress.is_replaced:  # else it is of a row that was lost
            for keys, value in progress.waiting:
                set_value(self.values, keys, value)

    def _take(
        self, part: Part, progress: "_Progress", kind: int, content: bytes
    ) -> list[tuple[int, bytes]]:
        """Take in a record, and return what stands for it.

        Raises:
            ValueError: it is damaged.
            RecursionError: a value is nested deeper than Python goes.
        """
        if kind == HISTORY:
            row = read_row(content)
            progress.is_replaced |= part.end is not None and step_of(row) + part.shift >= part.end
            changes, progress.waiting = progress.waiting, []
            changed = b"" if progress.is_replaced else self._add_row(row, changes)
            return [(SUMMARY, changed), (kind, content)] if changed else [(kind, content)]
        if kind == SUMMARY and (changes := _changes_of_row(content)):
            progress.waiting = changes
            return []
        if kind == SUMMARY and progress.is_replaced:
            progress.set_later.append(content)
        elif kind == SUMMARY:
            update(self.values, content)
        elif kind == EXIT and decode("Exit", content).exit_code == 0:
            for set_later in progress.set_later:
                update(self.values, set_later)
        elif kind == RUN:
            update(self.values, decode("Run", content).summary)
        return [(kind, content)]

    def _add_row(self, row: Row, changes: Sequence[Change]) -> bytes:
        """Take in a row, and return what it changes in the run's summary, as a record's content."""
        for name, text in row.items():
            self._metrics.setdefault(name, _Metric()).add(text)
        changed = []
        for keys, value in changes:
            name = metric_name(keys)
            if _is_aggregate(value) and not row.get(name, "{").startswith("{"):
                value = self._metrics[name].aggregate(value)
            set_value(self.values, keys, value)
            changed.append((keys, json.dumps(value, ensure_ascii=False)))
        return write_items(changed)


@dataclass
class _Progress:
    """What was read of a part: what the next row changes, what the program set after the first row
    that is replaced, and whether there was one.
    """

    waiting: list[Change] = field(default_factory=list)
    set_later: list[bytes] = field(default_factory=list)
    is_replaced: bool = False


def _changes_of_row(content: bytes) -> list[Change]:
    """What a row changes; nothing if the program or W&B itself wrote the record.

    Only in what rows change is every value named by nested keys, its time among them.
    """
    items = [read_item(value) for number, value in iter_fields(content) if number == 1]
    if not any(keys == ["_timestamp"] for keys, _ in items):
        return []
    return [(keys, json.loads(text)) for keys, text in items]


@dataclass
class _Metric:
    """The values of a metric so far, summed up as wandb-core does (core/internal/runsummary)."""

    first: str = ""
    last: str = ""
    low: float = 0.0
    high: float = 0.0
    total: float = 0.0
    count: int = 0  # of numbers

    def add(self, text: str) -> None:
        """Add the JSON text of a value."""
        self.first, self.last = self.first or text, text
        try:
            number = float(text)
        except ValueError:
            return
        is_nan = math.isnan(number) or math.isnan(self.low)
        self.low = math.nan if is_nan else min(self.low, number) if self.count else number
        self.high = math.nan if is_nan else max(self.high, number) if self.count else number
        self.total += number
        self.count += 1

    def aggregate(self, names: Iterable[str]) -> dict[str, Any]:
        """The aggregates of these names."""
        found = {
            "first": json.loads(self.first),
            "last": json.loads(self.last),
            "min": self.low,
            "max": self.high,
            "mean": self.total / self.count if self.count else math.nan,
        }
        return {name: found[name] for name in names}
