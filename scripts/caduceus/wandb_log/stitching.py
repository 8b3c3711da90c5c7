"""One run out of several segments: which rows of each belong to it.

A process that goes on with a run logs some steps again that an earlier one had logged before it was
killed. The later one is right: of the earlier rows only those before its first step stay.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from caduceus.wandb_log.framing import LogError
from caduceus.wandb_log.reading import iter_contents, iter_rows
from caduceus.wandb_log.records import HISTORY, read_row
from caduceus.wandb_log.segments import Row, RunHeader, Segment
from caduceus.wandb_log.wire import decode
from caduceus.wandb_log.writing import EXIT

METRIC = 12  # a record that `define_metric` writes
# Metrics that count what a program has done, by the last part of their names, the finest first.
COUNTERS = ("global_step", "step", "iteration", "epoch")

_NOTHING: Mapping[Path, int | None] = {}


@dataclass
class Part:
    """A segment's share in a run.

    Steps from `start` on are this segment's, and those from `end` on a later one's; `rule` says how
    that was decided:

    | rule | the segment |
    |---|---|
    | fresh | starts the run, and replaces whatever came before |
    | given | goes on from the step that was given |
    | server | goes on from the step that a server told it |
    | steps | logs its own steps, the first of them is where it goes on |
    | upload | holds what was logged after the program, and no step |
    | append | logs steps from 0 on, but was started with `resume=`: they follow the earlier ones |

    The other fields are known once the segment is read: how many `rows` belong to the run and how
    many were `dropped`, by how much steps were shifted, the `first` and `last` step and the largest
    `stride` between two.
    """

    path: Path
    run: RunHeader | None
    rule: str = "fresh"
    start: int | None = None
    end: int | None = None
    rows: int = 0
    dropped: int = 0
    shift: int = 0
    first: int | None = None
    last: int | None = None
    stride: int = 0

    def begin(self, first: int, before: int | None) -> None:
        """Settle by how much steps are shifted: the segment starts at `first`, after `before`."""
        if self.rule == "append":
            self.shift = 0 if before is None else before + 1 - first
        elif self.start is not None and first < self.start:
            self.shift = self.start - first

    def note(self, first: int, last: int, rows: int = 1, stride: int = 0) -> None:
        """Count rows that belong to the run, from step `first` to `last`."""
        if self.first is None:
            self.first = first
        if self.last is not None:
            stride = max(stride, first - self.last)
        self.stride = max(self.stride, stride)
        self.last = last
        self.rows += rows


def find_logs(path: Path) -> list[Path]:
    """Every `.wandb` file at or below `path`, each once, also where links lead to it twice."""
    if path.is_file():
        return [path]
    found = sorted(path.rglob("*.wandb"))
    return [
        p for p in found if not any(parent.is_symlink() for parent in p.relative_to(path).parents)
    ]


def group_by_run(paths: Iterable[Path]) -> tuple[dict[str, list[Path]], list[str]]:
    """The logs of each run, by a name for it, and a message for each file that isn't a log.

    The name is the run's id; where runs of several projects share it, with the project before it,
    and with a number after it where that isn't enough. A log that was killed before its run was
    named goes by its file's name.
    """
    by_key: dict[tuple[str, str, str], list[Path]] = {}
    unreadable = []
    for path in paths:
        try:
            segment, _ = read_head(path)
        except LogError as error:
            unreadable.append(str(error))
            continue
        run = segment.run
        key = (run.entity, run.project, run.id) if run else ("", "", path.stem.removeprefix("run-"))
        by_key.setdefault(key, []).append(path)
    ids = Counter(key[2] for key in by_key)
    named: dict[str, list[Path]] = {}
    for key in sorted(by_key):
        name = (key[2] if ids[key[2]] == 1 else "_".join(filter(None, key))).replace("/", "_")
        names = chain([name], (f"{name}-{number}" for number in count(2)))
        named[next(free for free in names if free not in named)] = by_key[key]
    return named, unreadable


def stitch(paths: Iterable[Path], resumed_from: Mapping[Path, int | None] = _NOTHING) -> list[Part]:
    """Arrange the segments of one run.

    Args:
        paths: their `.wandb` files; in the order they were begun if `resumed_from` says anything.
        resumed_from: where it is known, the step that a segment went on from, or None if it started
            afresh. For others that is told by their own record of the run and their first step.

    Returns:
        A part for each segment that contributes to the run, in the order they started. One that a
        later segment replaces is left out.

    Raises:
        LogError: a file isn't a log.
    """
    parts: list[Part] = []
    heads = [read_head(path) for path in paths]
    if not resumed_from:
        heads.sort(key=lambda head: (head[0].run.start_time if head[0].run else 0.0, head[0].path))
    for segment, first in heads:
        part = Part(segment.path, segment.run)
        if segment.path in resumed_from:
            part.start = resumed_from[segment.path]
            part.rule = "fresh" if part.start is None else "given"
        else:
            part.rule, part.start = _tell(segment.run, first)
        if part.rule == "fresh":
            parts.clear()
        if part.start is not None:
            for earlier in parts:
                earlier.end = part.start if earlier.end is None else min(earlier.end, part.start)
        parts.append(part)
    return parts


def read_head(path: Path) -> tuple[Segment, int | None]:
    """What stands before the first row, and that row's step; None if there is no row."""
    segment = Segment(path)
    row = next(iter_rows(segment), None)
    return segment, None if row is None else step_of(row)


def _tell(run: RunHeader | None, first: int | None) -> tuple[str, int | None]:
    """By which rule a segment belongs to its run, and the step it goes on from."""
    if first is None:  # it logged no row: artifacts, say
        return "append", None
    if run is not None and run.starting_step:
        return "server", run.starting_step
    if first:
        return "steps", first
    if run is not None and run.is_resuming:
        return "append", None
    return "fresh", None


def has_rows(log: Path) -> bool:
    """Whether a log holds a row.

    Raises:
        LogError: it isn't a log.
    """
    return read_head(log)[1] is not None


def has_ended(log: Path) -> bool:
    """Whether the process that wrote a log has ended its run, which W&B notes after all else.

    Raises:
        LogError: it isn't a log.
    """
    return any(kind == EXIT for kind, _ in iter_contents(Segment(log)))


def goes_on_at(earlier: Sequence[Part], log: Path) -> int | None:
    """The step at which the process that wrote `log` took up a run, by what it logged.

    That is the step of its first row. If it logs without steps, which begin at 0 then, it is the
    step at which a counter in that row had come as far before: the metric that the program declared
    as its x axis by `define_metric`, or else one of the `COUNTERS`.

    Args:
        earlier: what there was of the run.
        log: has a row.

    Returns:
        The step, or None if the process began afresh, as far as can be told.

    Raises:
        LogError: a file isn't a log.
    """
    axes, first = _axes_and_row(log)
    if step := step_of(first):
        return step
    names = [name for end in COUNTERS for name in first if name.split("/")[-1] == end]
    counter = next((name for name in [*axes, *names] if name in first), None)
    wanted = None if counter is None else _number(first[counter])
    if counter is None or wanted is None:
        return None
    begun, last = None, -1
    for row in iter_run(earlier):
        last = step_of(row)
        value = _number(row.get(counter, ""))
        if value is not None:
            if value >= wanted:
                return None if begun is None else last
            begun = value
    return None if begun is None else last + 1


def _axes_and_row(log: Path) -> tuple[list[str], Row]:
    """The declared x axes, and the first row."""
    axes = []
    for kind, content in iter_contents(Segment(log)):
        if kind == METRIC:
            axes.append(decode("Metric", content).step_metric)
        elif kind == HISTORY:
            return axes, read_row(content)
    return axes, {}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def step_of(row: Row) -> int:
    """The step of a row; 0 if it has none."""
    try:
        return int(row.get("_step", "0"))
    except ValueError:
        return 0


def iter_run(parts: Sequence[Part]) -> Iterator[Row]:
    """The rows of a run, from all its segments, under their steps in it.

    Raises:
        LogError: a log can't be read.
    """
    before: int | None = None
    for part in parts:
        yield from kept_rows(part, iter_rows(Segment(part.path)), before)
        before = before if part.last is None else part.last


def kept_rows(part: Part, rows: Iterable[Row], before: int | None) -> Iterator[Row]:
    """The rows of a segment that belong to the run, under their steps in it.

    Args:
        part: the segment's share; takes the counts.
        rows: all of its rows.
        before: the last step of the parts before it.
    """
    for row in rows:
        kept = keep(part, row, before)
        if kept is not None:
            yield kept


def keep(part: Part, row: Row, before: int | None) -> Row | None:
    """A row under its step in the run, if it belongs to it."""
    step = step_of(row)
    if not part.rows and not part.dropped:
        part.begin(step, before)
    step += part.shift
    if part.end is not None and step >= part.end:
        part.dropped += 1
        return None
    part.note(step, step)
    return row | {"_step": str(step)} if part.shift else row


def gaps(parts: Sequence[Part]) -> list[tuple[int, int]]:
    """Where rows are missing between two parts: the steps before and after.

    A killed process loses what it hadn't written yet. Only a step larger than any inside the
    segments counts, as many programs log every so many steps.
    """
    found = []
    stride = max((part.stride for part in parts), default=0) or 1
    last: int | None = None
    for part in parts:
        if last is not None and part.first is not None and part.first - last > stride:
            found.append((last, part.first))
        if part.last is not None:
            last = part.last
    return found
