"""Writing logs: several segments of a run as one, which the SDK syncs to exactly its rows."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from caduceus.wandb_log.framing import (
    BLOCK,
    CHUNK_HEADER,
    FIRST,
    FULL,
    HEADER,
    LAST,
    MIDDLE,
    RecordReader,
    open_log,
)
from caduceus.wandb_log.records import (
    HISTORY,
    SUMMARY,
    Row,
    Segment,
    add_content,
    read_row,
    split_record,
)
from caduceus.wandb_log.stitching import Part, keep
from caduceus.wandb_log.wire import WireError, iter_fields, write_bytes, write_number

_CONFIG, _RUN, _EXIT, _HEADER = 5, 17, 18, 21
_RUN_CONFIG, _RUN_START_TIME = 4, 17
_RUN_ABOUT_RESUMING = (14, 18, 24)  # starting_step, resumed, resume


def write_log(records: Iterable[bytes], path: Path) -> None:
    """Write a `.wandb` file of these records, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as stream:
            stream.write(HEADER)
            position = len(HEADER)
            for record in records:
                framed = _frame(record, position)
                stream.write(framed)
                position += len(framed)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _frame(record: bytes, position: int) -> bytes:
    """A record in its chunks, as it stands at `position` of the file."""
    out = bytearray()
    rest, is_first = record, True
    while is_first or rest:
        room = BLOCK - (position + len(out)) % BLOCK
        if room < CHUNK_HEADER.size:
            out += bytes(room)
            room = BLOCK
        payload, rest = rest[: room - CHUNK_HEADER.size], rest[room - CHUNK_HEADER.size :]
        begun, ended = (FIRST, FULL) if is_first else (MIDDLE, LAST)
        kind = begun if rest else ended
        is_first = False
        checksum = zlib.crc32(bytes([kind]) + payload)
        out += CHUNK_HEADER.pack(checksum, len(payload), kind) + payload
    return bytes(out)


def write_stitched(parts: Sequence[Part], path: Path) -> list[Segment]:
    """Write the segments of a run as one log: the rows that belong to it, each once.

    Identity, environment, console, system metrics and artifacts of all segments are in it, the
    summary as they leave it together, and the end of the last one, if it has come to one.

    Args:
        parts: as `stitch` arranges them; takes the counts of rows.
        path: the file.

    Returns:
        The segments as they were read, without rows; their `damage` says what is lost.

    Raises:
        LogError: a log can't be read.
    """
    segments = [Segment(part.path) for part in parts]
    contents = _stitched(parts, segments)
    write_log((write_record(n, *content) for n, content in enumerate(contents, 1)), path)
    return segments


def write_record(number: int, kind: int, content: bytes) -> bytes:
    """A record of a log."""
    return write_number(1, number) + write_bytes(kind, content)


def _stitched(parts: Sequence[Part], segments: Sequence[Segment]) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each record."""
    heads = [_first_records(part.path) for part in parts]
    if heads:
        yield from ((_HEADER, content) for content in heads[0].get(_HEADER, []))
    runs = [content for head in heads for content in head.get(_RUN, [])]
    if runs:
        yield _RUN, _identity(runs[0], runs[-1])
    exits: list[bytes] = []
    before: int | None = None
    for part, segment in zip(parts, segments, strict=True):
        exits = []
        for kind, content in _contents(segment):
            if kind == HISTORY:
                row = keep(part, read_row(content), before)
                if row is not None:
                    yield HISTORY, content if not part.shift else _shifted(content, row)
            elif kind == _RUN:
                yield from (
                    (_CONFIG, value)
                    for number, value in iter_fields(content)
                    if number == _RUN_CONFIG
                )
            elif kind == _EXIT:
                exits = [content]
            elif kind not in (SUMMARY, _HEADER):
                yield kind, content
        before = before if part.last is None else part.last
    summary: dict[str, object] = {}
    for segment in segments:
        summary |= segment.summary
    if summary:
        yield (
            SUMMARY,
            b"".join(
                write_bytes(1, write_bytes(1, name.encode()) + write_bytes(16, _json(value)))
                for name, value in summary.items()
            ),
        )
    yield from ((_EXIT, content) for content in exits)


def _contents(segment: Segment) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each readable record; what they say is added to `segment`."""
    with open_log(segment.path) as stream:
        reader = RecordReader(stream, segment.damage)
        for payload in reader.read():
            add_content(segment, payload)
            try:
                yield split_record(payload)
            except WireError:
                continue  # counted by add_content
        reader.finish()


def _first_records(path: Path) -> dict[int, list[bytes]]:
    """The records that say who the run is, which stand before the first row."""
    found: dict[int, list[bytes]] = {}
    for kind, content in _contents(Segment(path)):
        if kind == HISTORY:
            break
        found.setdefault(kind, []).append(content)
    return found


def _identity(first: bytes, last: bytes) -> bytes:
    """The run as its last process named it, begun when the first one began."""
    started = [value for number, value in iter_fields(first) if number == _RUN_START_TIME]
    kept = b"".join(
        write_bytes(number, value)
        for number, value in iter_fields(last)
        if isinstance(value, bytes) and number not in (_RUN_START_TIME, *_RUN_ABOUT_RESUMING)
    )
    return kept + b"".join(write_bytes(_RUN_START_TIME, value) for value in started[:1])


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


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
