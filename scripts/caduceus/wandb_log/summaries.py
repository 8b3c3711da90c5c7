"""The summary of a run that several processes wrote, as one process would have left it.

Each process sums up its own rows alone: the least loss of the last one isn't that of the run, and
what a killed one logged after its checkpoint isn't the run's at all.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.wandb_log.reading import iter_contents
from caduceus.wandb_log.records import (
    HISTORY,
    SUMMARY,
    metric_name,
    read_item,
    read_row,
    set_value,
    update,
)
from caduceus.wandb_log.segments import Row, Segment
from caduceus.wandb_log.stitching import Part, step_of
from caduceus.wandb_log.wire import decode, iter_fields
from caduceus.wandb_log.writing import EXIT, RUN, write_items

_AGGREGATES = {"first", "last", "min", "max", "mean"}  # what `define_metric(summary=...)` can name

Item = tuple[list[str], str]  # keys that lead to a value, and its JSON text


def summary_of(parts: Sequence[Part], segments: Sequence[Segment]) -> dict[str, Any]:
    """The summary of a run.

    Args:
        parts: as `stitch` arranges them, their rows counted.
        segments: of each part.

    Raises:
        LogError: a log can't be read.
    """
    if sum(bool(part.rows or part.dropped) for part in parts) > 1:
        return replay(parts).values
    summary: dict[str, Any] = {}
    for segment in segments:
        summary |= segment.summary
    return summary


def replay(parts: Sequence[Part]) -> "RunSummary":
    """The summary after all records of `parts`, whose rows are counted."""
    summary = RunSummary()
    for part in parts:
        for _ in summary.follow(part, iter_contents(Segment(part.path))):
            pass
    return summary


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
        waiting: list[Item] = []
        set_later: list[bytes] = []
        is_replaced = False
        for found in contents:
            kind, content = found or (0, b"")
            if kind == HISTORY:
                row = read_row(content)
                is_replaced |= part.end is not None and step_of(row) + part.shift >= part.end
                changed = [] if is_replaced else self._add_row(row, waiting)
                waiting = []
                if changed:
                    yield SUMMARY, write_items(changed)
            elif kind == SUMMARY and (of_row := _items_of_row(content)):
                waiting = of_row
                continue
            elif kind == SUMMARY and is_replaced:
                set_later.append(content)
            elif kind == SUMMARY:
                update(self.values, content)
            elif kind == EXIT and decode("Exit", content).exit_code == 0:
                for content_later in set_later:
                    update(self.values, content_later)
            elif kind == RUN:
                update(self.values, decode("Run", content).summary)
            yield found
        for keys, text in () if is_replaced else waiting:  # of a row that is lost
            set_value(self.values, keys, json.loads(text))

    def _add_row(self, row: Row, changes: Sequence[Item]) -> list[Item]:
        """Take in a row, and return what it changes in the run's summary."""
        for name, text in row.items():
            self._metrics.setdefault(name, _Metric()).add(text)
        changed: list[Item] = []
        for keys, text in changes:
            name = metric_name(keys)
            value = json.loads(text)
            if name in row and text != row[name] and _is_aggregate(value):
                value = self._metrics[name].aggregate(value)
                text = json.dumps(value)
            set_value(self.values, keys, value)
            changed.append((keys, text))
        return changed


def _items_of_row(content: bytes) -> list[Item]:
    """What a row changes; nothing if the program or W&B itself wrote the record.

    Only in what rows change is every value named by nested keys, its time among them.
    """
    items = [read_item(value) for number, value in iter_fields(content) if number == 1]
    return items if any(keys == ["_timestamp"] for keys, _ in items) else []


def _is_aggregate(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and value.keys() <= _AGGREGATES


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
