"""Write the segments of a run as one log, for the SDK to sync."""

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
    FILES,
    LOG_HEADER,
    RUN,
    LogWriter,
    write_items,
)

# Field numbers in wandb/proto/wandb_internal.proto.
_RUN_CONFIG, _RUN_TAGS, _RUN_START_TIME = 4, 10, 17
_LOCAL_PATH = (12, 4, 6)  # of an artifact: manifest, contents, local_path
_RUN_RESUME_FIELDS = (14, 18, 24)  # starting_step, resumed, resume

Content = tuple[int, bytes]  # kind and content of a record


@dataclass(frozen=True)
class Held:
    """The part of a run that a server has already, and that is left out of a log to send.

    Attributes:
        last_step: the last step of its history; -1 for none.
        artifacts: name and digest of each of its artifacts.
        run: the run's id on the server, if it is another one there; else empty.
        sweep: the id of the run's sweep on the server, if it has one; else empty.
    """

    last_step: int = -1
    artifacts: Collection[tuple[str, str]] = field(default_factory=frozenset)
    run: str = ""
    sweep: str = ""


_HOLDS_NOTHING = Held()


def write_stitched(
    parts: Sequence[Part],
    path: Path,
    held: Held = _HOLDS_NOTHING,
    find: Callable[[Path], Path] = lambda path: path,
    exit_code: int | None = None,
    notes: str = "",
    files: Sequence[str] = (),
) -> list[Segment]:
    """Write the segments of a run as one log, which the SDK syncs to exactly the run's rows.

    It has the rows that belong to the run, each once; the identity; environment, console, system
    metrics and artifacts of all segments; the summary of all segments together; and the end of the
    last one, if that has ended.

    Args:
        parts: from `stitch`; their counts of rows are updated.
        path: the log to write; it appears when it is complete.
        held: the rows and artifacts to leave out.
        find: returns the present path of an artifact's file, given its path when it was logged.
        exit_code: the exit status of the run, if it isn't that of the last segment.
        notes: of the run, if they aren't those with which the last segment started.
        files: names of files beside the log, in files/, that are sent too; W&B itself sends those
            of `run.save` and media, and only online those that the program wrote to `run.dir`.

    Returns:
        The segments as they were read, without rows; their `damage` counts what is lost.

    Raises:
        LogError: a log can't be read.
    """
    segments = [Segment(part.path) for part in parts]
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        with LogWriter(unfinished) as log:
            for kind, content in _all_records(parts, segments, held, exit_code, notes, files):
                log.append(kind, _relocated(content, find) if kind == ARTIFACT else content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return segments


def follow_stitched(
    parts: Sequence[Part],
    path: Path,
    is_over: Callable[[], bool],
    held: Held = _HOLDS_NOTHING,
    interval_s: float = 0.5,
) -> None:
    """Write the segments of a run as one log while the last one is still being written.

    The log is that of `write_stitched`, except that summary values are written as rows change them.
    Returns when the last segment has ended.

    Args:
        parts: from `stitch`; the last log must have the record of its run already.
        path: the log to write, which grows.
        is_over: whether the process that writes the last segment has ended.
        held: the rows and artifacts to leave out.
        interval_s: how long to wait when there is nothing new, in seconds.

    Raises:
        LogError: a log can't be read.
    """
    segments = [Segment(part.path) for part in parts]
    path.unlink(missing_ok=True)
    with LogWriter(path) as log:
        for record in _live_records(parts, segments, held, is_over, interval_s):
            if record is None:
                log.flush()
            else:
                log.append(*record)


def _all_records(
    parts: Sequence[Part],
    segments: Sequence[Segment],
    held: Held,
    exit_code: int | None,
    notes: str,
    files: Sequence[str],
) -> Iterator[Content]:
    """Yield the records of the stitched log, for segments that are complete."""
    yield from _identity_records(parts, held, notes)
    yield from _body_records(parts, segments, held)
    yield from _tag_records(parts, segments, held, notes)
    # An upload sets the program's summary again, as a sync would lose it otherwise, but can't set
    # NaN. So only the programs' own summaries are merged.
    programs = [(p, s) for p, s in zip(parts, segments, strict=True) if p.rule != "upload"]
    yield from summary_records(summary_of([p for p, _ in programs], [s for _, s in programs]))
    if files:
        yield FILES, encode("Files", {"files": [{"path": name} for name in files]})
    if exit_code is None and segments:
        exit_code = segments[-1].exit_code
    if exit_code is not None:
        # The longest, as the last process may only have uploaded an artifact, within a second.
        runtime = max((segment.runtime_s or 0 for segment in segments), default=0)
        yield EXIT, encode("Exit", {"exit_code": exit_code, "runtime": runtime})


def _body_records(
    parts: Sequence[Part], segments: Sequence[Segment], held: Held
) -> Generator[Content, None, int | None]:
    """Yield the records of complete segments but for summary and end; return the last step."""
    before: int | None = None
    for part, segment in zip(parts, segments, strict=True):
        for kind, content in iter_contents(segment):
            if kind not in (SUMMARY, EXIT):
                yield from _stitched_records(part, kind, content, before, held)
        before = before if part.last is None else part.last
    return before


def _live_records(
    parts: Sequence[Part],
    segments: Sequence[Segment],
    held: Held,
    is_over: Callable[[], bool],
    interval_s: float,
) -> Iterator[Content | None]:
    """Yield the records of the stitched log while the last segment grows.

    None is yielded whenever there is nothing new.
    """
    yield from _identity_records(parts, held)
    before = yield from _body_records(parts[:-1], segments[:-1], held)
    summary = replay(parts[:-1])
    yield from summary_records(summary.values)
    growing = follow_contents(segments[-1], is_over, interval_s)
    for record in summary.follow(parts[-1], growing):
        if record is None:
            yield None
        else:
            yield from _stitched_records(parts[-1], *record, before, held)
    # The process was killed: without the record of an end the SDK would wait for one.
    if segments[-1].exit_code is None:
        yield EXIT, encode("Exit", {"exit_code": 1})


def _identity_records(parts: Sequence[Part], held: Held, notes: str = "") -> Iterator[Content]:
    """Yield the header of the log and the record of the run."""
    heads = [_first_records(part.path) for part in parts]
    if heads:
        yield from ((LOG_HEADER, content) for content in heads[0].get(LOG_HEADER, []))
    runs = [content for head in heads for content in head.get(RUN, [])]
    if runs:
        yield RUN, _identity(runs[0], runs[-1], held, notes)


def _tag_records(
    parts: Sequence[Part], segments: Sequence[Segment], held: Held, notes: str
) -> Iterator[Content]:
    """Yield the record of the run with all its tags, if the program has added some."""
    runs = [content for part in parts for content in _first_records(part.path).get(RUN, [])]
    logged = [tag for segment in segments if segment.run for tag in segment.run.tags]
    if runs and set(logged) - set(decode("Run", runs[-1]).tags):
        fields = iter_fields(_identity(runs[0], runs[-1], held, notes))
        kept = (write_bytes(number, value) for number, value in fields if number != _RUN_TAGS)
        yield RUN, b"".join(kept) + encode("Run", {"tags": list(dict.fromkeys(logged))})


def _stitched_records(
    part: Part, kind: int, content: bytes, before: int | None, held: Held
) -> Iterator[Content]:
    """Yield the record that stands in the stitched log for a segment's record, if one does."""
    if kind == HISTORY:
        row = keep(part, read_row(content), before)
        if row is not None and int(row.get("_step", 0)) > held.last_step:
            yield HISTORY, content if not part.shift else _with_step(content, row)
    elif kind == RUN:  # the run itself is among the identity records
        yield from (
            (CONFIG, value) for number, value in iter_fields(content) if number == _RUN_CONFIG
        )
    elif kind == ARTIFACT and (held.artifacts or held.run):
        artifact = decode("Artifact", content)
        if (artifact.name, artifact.digest) not in held.artifacts:
            yield kind, content + _encoded("Artifact", run_id=held.run)
    elif kind != LOG_HEADER and (part.rule, kind) != ("upload", ENVIRONMENT):
        yield kind, content


def _relocated(artifact: bytes, find: Callable[[Path], Path]) -> bytes:
    """Return the record of an artifact with the present paths of its files."""

    def relocate(path: bytes) -> bytes:
        return bytes(find(Path(os.fsdecode(path))).absolute())

    return _rewritten(artifact, _LOCAL_PATH, relocate)


def _rewritten(message: bytes, keys: Sequence[int], change: Callable[[bytes], bytes]) -> bytes:
    """Return a message in which `change` was applied to every field that `keys` lead to.

    All other fields are kept as bytes, also those that `wire` doesn't know.
    """
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


def summary_records(summary: Mapping[str, Any]) -> Iterator[Content]:
    """Yield the record that sets these values of the summary; none if there are no values."""
    if summary:
        texts = ((name, json.dumps(value, ensure_ascii=False)) for name, value in summary.items())
        yield SUMMARY, write_items(([name], text) for name, text in texts)


def _first_records(path: Path) -> dict[int, list[bytes]]:
    """Return the contents of the records before the first row, by kind; the run is among them."""
    found: dict[int, list[bytes]] = {}
    for kind, content in iter_contents(Segment(path)):
        if kind == HISTORY:
            break
        found.setdefault(kind, []).append(content)
    return found


def _identity(first: bytes, last: bytes, held: Held, notes: str) -> bytes:
    """Return the record of the run from its first and last processes' records.

    It is the last one's, with the start time of the first and without the fields on resuming, which
    would make the server renumber the rows.
    """
    started = [value for number, value in iter_fields(first) if number == _RUN_START_TIME]
    kept = b"".join(
        write_bytes(number, value)
        for number, value in iter_fields(last)
        if isinstance(value, bytes) and number not in (_RUN_START_TIME, *_RUN_RESUME_FIELDS)
    )
    kept += b"".join(write_bytes(_RUN_START_TIME, value) for value in started[:1])
    return kept + _encoded("Run", run_id=held.run, sweep_id=held.sweep, notes=notes)


def _encoded(kind: str, **texts: str) -> bytes:
    """Return the fields with these texts, without empty ones, to be appended to a message.

    Of a field that occurs twice, Protocol Buffers take the last.
    """
    return encode(kind, {name: value for name, value in texts.items() if value})


def _with_step(content: bytes, row: Row) -> bytes:
    """Return a history record with the step of `row`, both as an item and as its own field."""
    step = row["_step"]
    out = b""
    for number, value in iter_fields(content):
        if number == 1 and b"\x12\x05_step" in value[:7]:  # nested_key: "_step"
            value = write_bytes(2, b"_step") + write_bytes(16, step.encode())
        elif number == 2:
            value = write_number(1, int(step))
        out += write_bytes(number, value)
    return out
