"""Compute the summary of a run of several processes, as a single process would have left it.

Each process summarizes its own rows only: the minimum of its loss isn't that of the run, and rows
that a killed process logged after its last checkpoint don't belong to the run at all.
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

_AGGREGATES = {"first", "last", "min", "max", "mean"}  # of `define_metric(summary=...)`

Change = tuple[list[str], Any]  # keys, outermost first, and the value that they lead to


def summary_of(parts: Sequence[Part], segments: Sequence[Segment]) -> dict[str, Any]:
    """Return the summary of a run, nested as logged.

    Args:
        parts: from `stitch`, with their rows counted.
        segments: the segment of each part.

    Raises:
        LogError: a log can't be read.
    """
    found = [segment.summary for segment in segments]
    summary: dict[str, Any] = {}
    if must_be_replayed(parts, found):
        summary = replay(parts).values
    else:
        for keys, value in (leaf for values in found for leaf in _leaves(values)):
            set_value(summary, keys, value)
    nested: dict[str, Any] = {}
    for keys, value in (leaf for segment in segments for leaf in _leaves(segment.nested)):
        set_value(nested, keys, value)
    _add_missing(summary, nested)
    return summary


def _add_missing(summary: dict[str, Any], nested: Mapping[str, Any]) -> None:
    """Add the nested metrics that wandb up to 0.17 leaves out of a summary.

    It replaces a dictionary as a whole, where wandb from 0.18 on keeps the last value of each
    metric in it; and once the program has defined a metric, it leaves all dictionaries out.
    """
    for key, value in nested.items():
        if key not in summary:
            summary[key] = value
        elif isinstance(value, dict) and isinstance(summary[key], dict) and "_type" not in value:
            _add_missing(summary[key], value)


def must_be_replayed(parts: Sequence[Part], summaries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the summary has to be computed from all rows; nearly always merging is enough.

    Merging the parts' summaries is wrong if one has an aggregate, as that covers one part's rows
    only, or if one has a value that no later part has: it may come from a row that was replaced, or
    from a dictionary that was set as a whole later.
    """
    if sum(bool(part.rows or part.dropped) for part in parts) < 2:
        return False
    later: set[tuple[str, ...]] = set()
    for part, values in zip(reversed(parts), reversed(summaries), strict=True):
        names = {tuple(keys) for keys, _ in _leaves(values)}
        not_later = names - later
        is_unsure = part.dropped or any(len(keys) > 1 for keys in not_later)
        if (not_later and later and is_unsure) or any(map(_is_aggregate, _dictionaries(values))):
            return True
        later |= names
    return False


def _leaves(values: Mapping[str, Any]) -> Iterator[tuple[list[str], Any]]:
    """Yield keys and value of everything that isn't a dictionary, or is an empty one."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from (([key, *keys], inside) for keys, inside in _leaves(value))
        else:
            yield [key], value


def _dictionaries(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the dictionaries inside `values`, at every level."""
    for value in values.values():
        if isinstance(value, dict):
            yield value
            yield from _dictionaries(value)


def _is_aggregate(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and value.keys() <= _AGGREGATES


def replay(parts: Sequence[Part]) -> "RunSummary":
    """Compute the summary from all records of `parts`, whose rows have been counted."""
    summary = RunSummary()
    for part in parts:
        for _ in summary.follow(part, _contents(part.path)):
            pass
    return summary


def _contents(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of each record of a log whose damage has been counted before."""
    with open_log(path) as stream:
        for payload in RecordReader(stream, Damage()).read():
            with suppress(WireError):
                yield split_record(payload)


class RunSummary:
    """The summary of a run, computed record by record; `values` are nested as logged.

    wandb writes the summary values that a row changes just before the row, and those that the
    program sets when it sets them. Two kinds of values don't count: those of rows that a later part
    replaces, and those that the program sets after the first such row, unless it then exits with
    status 0.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._metrics: dict[str, _Metric] = {}

    def follow(
        self, part: Part, contents: Iterable[tuple[int, bytes] | None]
    ) -> Iterator[tuple[int, bytes] | None]:
        """Add the records of a part, and yield them with the run's summary values in theirs.

        Args:
            part: the part; its `shift` must be known if some of its rows are replaced.
            contents: kind and content of each record; None, which is passed on, when there is
                nothing new.
        """
        state = _PartState()
        for record in contents:
            try:
                yield from [record] if record is None else self._add(part, state, *record)
            except (ValueError, RecursionError):  # damage is counted where the segment is read
                yield record
        # The row that belongs to the last changes wasn't written any more. They count, unless a
        # later part replaces that row.
        if not state.is_replaced:
            for keys, value in state.row_changes:
                set_value(self.values, keys, value)

    def _add(
        self, part: Part, state: "_PartState", kind: int, content: bytes
    ) -> list[tuple[int, bytes]]:
        """Add a record, and return the records that take its place.

        Raises:
            ValueError: the record is damaged.
            RecursionError: a value is nested deeper than Python's JSON reader goes.
        """
        if kind == HISTORY:
            row = read_row(content)
            state.is_replaced |= part.end is not None and step_of(row) + part.shift >= part.end
            changes, state.row_changes = state.row_changes, []
            changed = b"" if state.is_replaced else self._add_row(row, changes)
            return [(SUMMARY, changed), (kind, content)] if changed else [(kind, content)]
        if kind == SUMMARY and (changes := _row_changes(content)):
            state.row_changes = changes
            return []
        if kind == SUMMARY and state.is_replaced:
            state.late_summaries.append(content)
        elif kind == SUMMARY:
            update(self.values, content)
        elif kind == EXIT and decode("Exit", content).exit_code == 0:
            for late_summary in state.late_summaries:
                update(self.values, late_summary)
        elif kind == RUN:
            update(self.values, decode("Run", content).summary)
        return [(kind, content)]

    def _add_row(self, row: Row, changes: Sequence[Change]) -> bytes:
        """Add a row, and return the summary values that it changes, as the content of a record."""
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
class _PartState:
    """The state while the records of a part are read.

    Attributes:
        row_changes: the summary values that the next row changes.
        late_summaries: summary records that the program wrote after the first replaced row.
        is_replaced: whether a row was read that a later part replaces; so are all that follow.
    """

    row_changes: list[Change] = field(default_factory=list)
    late_summaries: list[bytes] = field(default_factory=list)
    is_replaced: bool = False


def _row_changes(content: bytes) -> list[Change]:
    """Return the values of a summary record that belongs to a row; none of any other one.

    The record of a row has `_timestamp` among its values; those that the program or wandb writes
    don't.
    """
    items = [read_item(value) for number, value in iter_fields(content) if number == 1]
    if not any(keys == ["_timestamp"] for keys, _ in items):
        return []
    return [(keys, json.loads(text)) for keys, text in items]


@dataclass
class _Metric:
    """The aggregates of a metric's values so far, computed as wandb-core does.

    Source: core/internal/runsummary/metricsummary.go in github.com/wandb/wandb.
    """

    first: str = ""
    last: str = ""
    low: float = 0.0
    high: float = 0.0
    total: float = 0.0
    count: int = 0  # the number of numeric values

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
        """Return these aggregates: `first`, `last`, `min`, `max` or `mean`."""
        aggregates = {
            "first": json.loads(self.first),
            "last": json.loads(self.last),
            "min": self.low,
            "max": self.high,
            "mean": self.total / self.count if self.count else math.nan,
        }
        return {name: aggregates[name] for name in names}
