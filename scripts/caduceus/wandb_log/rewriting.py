"""Several segments of a run written as one log, for the SDK to sync."""

import json
import os
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caduceus.wandb_log.reading import follow_contents, iter_contents
from caduceus.wandb_log.records import HISTORY, SUMMARY, read_row
from caduceus.wandb_log.segments import Row, Segment
from caduceus.wandb_log.stitching import Part, keep
from caduceus.wandb_log.summaries import replay, summary_of
from caduceus.wandb_log.wire import decode, encode, iter_fields, write_bytes, write_number
from caduceus.wandb_log.writing import (
    ARTIFACT,
    CONFIG,
    ENVIRONMENT,
    EXIT,
    LOG_HEADER,
    RUN,
    LogWriter,
    write_items,
)

_RUN_CONFIG, _RUN_TAGS, _RUN_START_TIME = 4, 10, 17
_LOCAL_PATH = (12, 4, 6)  # of an artifact: manifest, contents, local_path
_RUN_ABOUT_RESUMING = (14, 18, 24)  # starting_step, resumed, resume

Content = tuple[int, bytes]  # a record's kind, and what it holds


@dataclass(frozen=True)
class Held:
    """What a server has of a run already, and need not be sent again: the `last_step` of its
    history, name and digest of its `artifacts`; and the `run` that it is there, and the `sweep` to
    which it belongs, if they have ids of their own.
    """

    last_step: int = -1
    artifacts: Collection[tuple[str, str]] = field(default_factory=frozenset)
    run: str = ""
    sweep: str = ""


_NOTHING = Held()


def write_stitched(
    parts: Sequence[Part],
    path: Path,
    held: Held = _NOTHING,
    find: Callable[[Path], Path] = lambda path: path,
    exit_code: int | None = None,
) -> list[Segment]:
    """Write the segments of a run as one log: the rows that belong to it, each once.

    Identity, environment, console, system metrics and artifacts of all segments are in it, the
    summary as they leave it together, and the end of the last one, if it has come to one. The SDK
    syncs such a log to exactly its rows.

    Args:
        parts: as `stitch` arranges them; takes the counts of rows.
        path: the file, which appears when it is whole.
        held: rows and artifacts to leave out.
        find: where a file of an artifact lies now, by where it lay when it was logged.
        exit_code: how the run ended, if that is known better than from its last segment.

    Returns:
        The segments as they were read, without rows; their `damage` says what is lost.

    Raises:
        LogError: a log can't be read.
    """
    segments = [Segment(part.path) for part in parts]
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        with LogWriter(unfinished) as log:
            for kind, content in _whole(parts, segments, held, exit_code):
                log.append(kind, _moved(content, find) if kind == ARTIFACT else content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return segments


def follow_stitched(
    parts: Sequence[Part],
    path: Path,
    is_over: Callable[[], bool],
    held: Held = _NOTHING,
    interval_s: float = 0.5,
) -> None:
    """Write the same log while the last segment is still being written, and end with it.

    Args:
        parts: as `stitch` arranges them; of the last one, the run itself must be there.
        path: the file, which grows.
        is_over: says that the last segment's writer has gone.
        held: rows and artifacts to leave out.
        interval_s: how often to look for more, in seconds.

    Raises:
        LogError: a log can't be read.
    """
    segments = [Segment(part.path) for part in parts]
    path.unlink(missing_ok=True)
    with LogWriter(path) as log:
        for found in _growing(parts, segments, held, is_over, interval_s):
            if found is None:
                log.flush()
            else:
                log.append(*found)


def _whole(
    parts: Sequence[Part], segments: Sequence[Segment], held: Held, exit_code: int | None
) -> Iterator[Content]:
    """Kind and content of each record of whole segments."""
    yield from _head(parts, held)
    yield from _ended(parts, segments, held)
    yield from _tags(parts, segments, held)
    # What logs artifacts afterwards sets the summary again, and can't set NaN.
    summed_up = [(p, s) for p, s in zip(parts, segments, strict=True) if p.rule != "upload"]
    yield from _summary(summary_of([p for p, _ in summed_up], [s for _, s in summed_up]))
    if exit_code is None and segments:
        exit_code = segments[-1].exit_code
    if exit_code is not None:
        # The last process may only have logged an artifact, in no time.
        runtime = max((segment.runtime_s or 0 for segment in segments), default=0)
        yield EXIT, encode("Exit", {"exit_code": exit_code, "runtime": runtime})


def _ended(
    parts: Sequence[Part], segments: Sequence[Segment], held: Held
) -> Generator[Content, None, int | None]:
    """What of whole segments goes in, but for summary and end; returns the last step."""
    before: int | None = None
    for part, segment in zip(parts, segments, strict=True):
        for kind, content in iter_contents(segment):
            if kind not in (SUMMARY, EXIT):
                yield from _kept(part, kind, content, before, held)
        before = before if part.last is None else part.last
    return before


def _growing(
    parts: Sequence[Part],
    segments: Sequence[Segment],
    held: Held,
    is_over: Callable[[], bool],
    interval_s: float,
) -> Iterator[Content | None]:
    """The same with a last segment that grows; None whenever there is nothing new."""
    yield from _head(parts, held)
    before = yield from _ended(parts[:-1], segments[:-1], held)
    summary = replay(parts[:-1])
    yield from _summary(summary.values)
    growing = follow_contents(segments[-1], is_over, interval_s)
    for found in summary.follow(parts[-1], growing):
        if found is None:
            yield None
        else:
            yield from _kept(parts[-1], *found, before, held)
    if segments[-1].exit_code is None:  # killed: without an end the SDK would wait for one
        yield EXIT, encode("Exit", {"exit_code": 1})


def _head(parts: Sequence[Part], held: Held) -> Iterator[Content]:
    """Who the run is."""
    heads = [_first_records(part.path) for part in parts]
    if heads:
        yield from ((LOG_HEADER, content) for content in heads[0].get(LOG_HEADER, []))
    runs = [content for head in heads for content in head.get(RUN, [])]
    if runs:
        yield RUN, _identity(runs[0], runs[-1], held)


def _tags(parts: Sequence[Part], segments: Sequence[Segment], held: Held) -> Iterator[Content]:
    """The run with its tags, if a program has added some."""
    runs = [content for part in parts for content in _first_records(part.path).get(RUN, [])]
    logged = [tag for segment in segments if segment.run for tag in segment.run.tags]
    if runs and set(logged) - set(decode("Run", runs[-1]).tags):
        fields = iter_fields(_identity(runs[0], runs[-1], held))
        kept = (write_bytes(number, value) for number, value in fields if number != _RUN_TAGS)
        yield RUN, b"".join(kept) + encode("Run", {"tags": list(dict.fromkeys(logged))})


def _kept(
    part: Part, kind: int, content: bytes, before: int | None, held: Held
) -> Iterator[Content]:
    """What of a record goes into the stitched log."""
    if kind == HISTORY:
        row = keep(part, read_row(content), before)
        if row is not None and int(row.get("_step", 0)) > held.last_step:
            yield HISTORY, content if not part.shift else _shifted(content, row)
    elif kind == RUN:
        yield from (
            (CONFIG, value) for number, value in iter_fields(content) if number == _RUN_CONFIG
        )
    elif kind == ARTIFACT and (held.artifacts or held.run):
        artifact = decode("Artifact", content)
        if (artifact.name, artifact.digest) not in held.artifacts:
            yield kind, content + _there("Artifact", run_id=held.run)
    elif kind != LOG_HEADER and (part.rule, kind) != ("upload", ENVIRONMENT):
        yield kind, content


def _moved(artifact: bytes, find: Callable[[Path], Path]) -> bytes:
    """An artifact's record with its files where they lie now."""

    def move(path: bytes) -> bytes:
        return bytes(find(Path(os.fsdecode(path))).absolute())

    return _rewritten(artifact, _LOCAL_PATH, move)


def _rewritten(message: bytes, keys: Sequence[int], change: Callable[[bytes], bytes]) -> bytes:
    """A message with every field that `keys` lead to changed, and all others as they are."""
    out = b""
    for number, value in iter_fields(message):
        if isinstance(value, int):
            out += write_number(number, value)
        elif number != keys[0]:
            out += write_bytes(number, value)
        else:
            new = _rewritten(value, keys[1:], change) if len(keys) > 1 else change(value)
            out += write_bytes(number, new)
    return out


def _summary(summary: Mapping[str, Any]) -> Iterator[Content]:
    if summary:
        texts = ((name, json.dumps(value, ensure_ascii=False)) for name, value in summary.items())
        yield SUMMARY, write_items(([name], text) for name, text in texts)


def _first_records(path: Path) -> dict[int, list[bytes]]:
    """The records that say who the run is, which stand before the first row."""
    found: dict[int, list[bytes]] = {}
    for kind, content in iter_contents(Segment(path)):
        if kind == HISTORY:
            break
        found.setdefault(kind, []).append(content)
    return found


def _identity(first: bytes, last: bytes, held: Held) -> bytes:
    """The run as its last process named it, begun when the first one began, as it is there."""
    started = [value for number, value in iter_fields(first) if number == _RUN_START_TIME]
    kept = b"".join(
        write_bytes(number, value)
        for number, value in iter_fields(last)
        if isinstance(value, bytes) and number not in (_RUN_START_TIME, *_RUN_ABOUT_RESUMING)
    )
    kept += b"".join(write_bytes(_RUN_START_TIME, value) for value in started[:1])
    return kept + _there("Run", run_id=held.run, sweep_id=held.sweep)


def _there(kind: str, **ids: str) -> bytes:
    """What is put after a message so that it has these ids, but for empty ones: the last counts."""
    return encode(kind, {name: value for name, value in ids.items() if value})


def _shifted(content: bytes, row: Row) -> bytes:
    """A history record with the step of `row`."""
    step = row["_step"]
    out = b""
    for number, value in iter_fields(content):
        if number == 1 and b"\x12\x05_step" in value[:7]:
            value = write_bytes(2, b"_step") + write_bytes(16, step.encode())
        elif number == 2:
            value = write_number(1, int(step))
        out += write_bytes(number, value)
    return out
