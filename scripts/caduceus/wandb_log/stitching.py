"""Stitch the segments of a run: find the rows of each segment that belong to the run.

A process that resumes a run from a checkpoint logs some steps again that an earlier process had
logged after that checkpoint, before it was killed. The later process counts: of the earlier rows
only those before its first step are kept.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from caduceus.wandb_log.framing import LogError
from caduceus.wandb_log.reading import exit_code, iter_rows
from caduceus.wandb_log.segments import Row, RunHeader, Segment

METRIC = 12  # the kind of a record that `define_metric` writes

_NOTHING: Mapping[Path, int | None] = {}


@dataclass
class Part:
    """A segment's part in a run.

    The steps from `start` to before `end` are this segment's; None leaves that side open. `rule`
    says how `start` was found:

    | rule | the segment |
    |---|---|
    | fresh | starts the run, and replaces all earlier segments |
    | given | resumes from the step that the caller gave |
    | server | resumes from the step with which the server answered |
    | steps | logs steps of its own, and resumes from the first of them |
    | upload | was written by an upload after the program ended, and has no steps |
    | append | logs steps from 0 on, but was started with `resume=`: they follow the earlier ones |
    | continue | follows a process that ended well; steps that go back are shifted behind its own |

    The other fields are filled while the segment is read: the number of `rows` that belong to the
    run and of those `dropped`, the `shift` that is added to the steps, the `first` and `last` step,
    and the largest distance between two steps, `stride`.
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
        """Set `shift`, given the segment's first step and the last step of the parts before it."""
        if self.rule in ("append", "continue"):
            has_room = before is None or (self.rule == "continue" and first > before)
            self.shift = 0 if before is None or has_room else before + 1 - first
        elif self.start is not None and first < self.start:
            self.shift = self.start - first

    def note(self, first: int, last: int, rows: int = 1, stride: int = 0) -> None:
        """Count rows that belong to the run, from step `first` to `last` of the run."""
        if self.first is None:
            self.first = first
        if self.last is not None:
            stride = max(stride, first - self.last)
        self.stride = max(self.stride, stride)
        self.last = last
        self.rows += rows


def find_logs(path: Path) -> list[Path]:
    """Return every `.wandb` file at or below `path`, in order.

    Files below linked folders are left out: wandb's `latest-run` is a link to a run's folder.
    """
    if path.is_file():
        return [path]
    found = sorted(path.rglob("*.wandb"))
    return [
        p for p in found if not any(parent.is_symlink() for parent in p.relative_to(path).parents)
    ]


def group_by_run(paths: Iterable[Path]) -> tuple[dict[str, list[Path]], list[str]]:
    """Return the logs of each run, by a name of the run, and a message for each unreadable file.

    The name is the run's id. If runs of several projects share an id, entity and project stand
    before it, and a number after it if that isn't enough. A log that ends before the record of its
    run gets the id in its file's name.
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


def stitch(
    paths: Iterable[Path],
    resumed_from: Mapping[Path, int | None] = _NOTHING,
    continuing: Collection[Path] = (),
) -> list[Part]:
    """Find the part of each segment in its run.

    Args:
        paths: the `.wandb` files of one run; in the order in which they were started if
            `resumed_from` isn't empty.
        resumed_from: by file, the step from which the segment resumed, or None for a fresh start.
            For other files both are inferred from the record of the run and the first step.
        continuing: the files whose rows follow all earlier ones and replace none.

    Returns:
        A part for each segment that contributes to the run, in the order in which they were
        started. Segments that a later one replaces are left out.

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
        elif segment.path in continuing:
            part.rule = "continue"
        else:
            part.rule, part.start = _infer_start(segment.run, first)
        if part.rule == "fresh":
            parts.clear()
        if part.start is not None:
            for earlier in parts:
                earlier.end = part.start if earlier.end is None else min(earlier.end, part.start)
        parts.append(part)
    return parts


def read_head(path: Path) -> tuple[Segment, int | None]:
    """Read a log up to its first row: return a segment without rows, and the step of that row.

    The step is None if there is no row.

    Raises:
        LogError: the file isn't a log.
    """
    segment = Segment(path)
    row = next(iter_rows(segment), None)
    return segment, None if row is None else step_of(row)


def _infer_start(run: RunHeader | None, first: int | None) -> tuple[str, int | None]:
    """Return the rule of a segment (see `Part`) and the step from which it resumed.

    Args:
        run: the record of the run, if there is one.
        first: the step of its first row, if there is one.
    """
    if first is None:  # no row: it logged artifacts, for example
        return "append", None
    if run is not None and run.starting_step:
        return "server", run.starting_step
    if first:
        return "steps", first
    if run is not None and run.is_resuming:
        return "append", None
    return "fresh", None


def has_rows(log: Path) -> bool:
    """Whether a log has at least one row.

    Raises:
        LogError: the file isn't a log.
    """
    return read_head(log)[1] is not None


def has_ended(log: Path) -> bool:
    """Whether a log has the record of the run's end, which W&B writes last.

    Raises:
        LogError: the file isn't a log.
    """
    return exit_code(log) is not None


def step_of(row: Row) -> int:
    """Return the step of a row; 0 if it has none."""
    try:
        return int(row.get("_step", "0"))
    except ValueError:
        return 0


def iter_run(parts: Sequence[Part]) -> Iterator[Row]:
    """Yield the rows of a run from all its parts, with their steps in the run.

    Raises:
        LogError: a log can't be read.
    """
    before: int | None = None
    for part in parts:
        yield from kept_rows(part, iter_rows(Segment(part.path)), before)
        before = before if part.last is None else part.last


def kept_rows(part: Part, rows: Iterable[Row], before: int | None) -> Iterator[Row]:
    """Yield the rows of a segment that belong to the run, with their steps in the run.

    Args:
        part: the segment's part in the run; its counts are updated.
        rows: all rows of the segment.
        before: the last step of the parts before it; None if there is none.
    """
    for row in rows:
        kept = keep(part, row, before)
        if kept is not None:
            yield kept


def keep(part: Part, row: Row, before: int | None) -> Row | None:
    """Return a row with its step in the run, or None if it doesn't belong to the run.

    Args:
        part: the part of the row's segment; its counts are updated.
        row: the next row of the segment.
        before: the last step of the parts before it; None if there is none.
    """
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
    """Return the gaps in a run, each as the last step before and the first step after it.

    A killed process loses the rows that it hadn't written yet. A program may log every k steps, so
    a distance counts as a gap only if it is larger than any inside the parts. If the first part
    resumed from a step and no row before that is left, the gap starts at -1.
    """
    found = []
    stride = max((part.stride for part in parts), default=0) or 1
    last: int | None = None
    has_replaced = False  # whether a part before lost all its rows to a later one
    for part in parts:
        if last is None and part.rule == "given" and part.start and not has_replaced:
            last = -1
        has_replaced |= bool(part.dropped)
        if last is not None and part.first is not None and part.first - last > stride:
            found.append((last, part.first))
        if part.last is not None:
            last = part.last
    return found
