"""Read the records of a log into a segment: the meaning of each kind of record.

Kinds and fields are those of the message `Record` in wandb/proto/wandb_internal.proto.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from caduceus.wandb_log.definitions import define
from caduceus.wandb_log.segments import (
    SECOND,
    Artifact,
    ArtifactFile,
    Output,
    Row,
    RunHeader,
    Segment,
    StatsSample,
    seconds,
)
from caduceus.wandb_log.wire import Message, WireError, decode, iter_fields, read_varint

HISTORY, SUMMARY = 2, 3  # kinds of a record: field numbers of `Record`


def add_record(segment: Segment, payload: bytes) -> Row | None:
    """Add a record to `segment`, or return it if it is a row of the history.

    Records that can't be read are counted in `segment.damage`, and so are gaps before this one:
    W&B numbers records 1, 2, 3, ….
    """
    number = record_number(payload)
    if number > segment.last_record:
        segment.damage.lost_records += number - segment.last_record - 1
        segment.last_record = number
    return add_content(segment, payload)


def record_number(payload: bytes) -> int:
    """Return the number of a record, its first field; 0 if it has none, or 2^28 and more.

    `columns` reads numbers up to 2^28 only, and both readers must count the same gaps.
    """
    try:
        number = read_varint(payload, 1)[0] if payload[:1] == b"\x08" else 0
    except WireError:
        return 0
    return number if number < 1 << 28 else 0


def add_content(segment: Segment, payload: bytes) -> Row | None:
    """Add a record to `segment` or return its row, like `add_record`, but ignore its number."""
    try:
        kind, content = split_record(payload)
        if kind == HISTORY:
            return read_row(content, segment.nested)
        if kind in _ADDERS:
            _ADDERS[kind](segment, content)
    except (ValueError, RecursionError):  # a WireError, or invalid or too deeply nested JSON
        segment.damage.unreadable_records += 1
    return None


def split_record(payload: bytes) -> tuple[int, bytes]:
    """Return the kind of a record (its field number) and its content.

    Raises:
        WireError: it isn't a message.
    """
    kind, content = 0, b""
    for number, value in iter_fields(payload):
        if number not in _NOT_KINDS and isinstance(value, bytes):
            kind, content = number, value
    return kind, content


_NOT_KINDS = (1, 16, 19, 200)  # fields beside the content: num, control, uuid, _info


def read_row(content: bytes, nested: dict[str, Any] | None = None) -> Row:
    """Return the row in the content of a history record.

    wandb up to 0.17 wrote a dictionary as one value. It is split into the values that wandb from
    0.18 on writes; empty dictionaries are left out.

    Args:
        content: the content of the record.
        nested: takes the values of such dictionaries, nested as logged.

    Raises:
        WireError: the content isn't a history record.
    """
    row: Row = {}
    for number, value in iter_fields(content):
        if number == 1:
            keys, text = read_item(value)
            if text.startswith("{"):
                row |= _split(keys, text, nested)
            else:
                row[metric_name(keys)] = text
    return row


def _split(keys: list[str], text: str, nested: dict[str, Any] | None) -> Row:
    """Return the values in a dictionary that is given as JSON, or itself if it is damaged."""
    try:
        leaves = list(_leaves(keys, json.loads(text)))
    except (ValueError, RecursionError):
        return {metric_name(keys): text}
    if nested is not None:
        for path, value in leaves:
            if value is not None:  # not in a summary either
                set_value(nested, path, value)
    return {metric_name(path): json.dumps(value) for path, value in leaves}


def _leaves(keys: list[str], value: Any) -> Iterator[tuple[list[str], Any]]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from _leaves([*keys, key], inside)
    else:
        yield keys, value


_KEY = (b"\x0a", b"\x12")  # the tags of `key` and of `nested_key`
_SHORT_TEXT = [bytes((0x82, 0x01, length)) for length in range(128)]  # the tag of `value_json`


def read_item(content: Any) -> tuple[list[str], str]:
    """Return keys (outermost first) and JSON text of an item of a history, summary or config.

    Raises:
        WireError: the content isn't an item.
    """
    # Nearly every item has one key and a short value: reading it in line takes a third of the time.
    if isinstance(content, bytes) and content[:1] in _KEY and len(content) > 1 and content[1] < 128:
        end = content[1] + 2
        start = end + 3
        length = len(content) - start
        if 0 <= length < 128 and content[end:start] == _SHORT_TEXT[length]:
            return [_text(content[2:end])], _text(content[start:])
    key, nested, text = "", [], ""
    for number, value in iter_fields(content):
        if number == 16:
            text = _text(value)
        elif number == 2:
            nested.append(_text(value))
        elif number == 1:
            key = _text(value)
    return nested or [key], text


def metric_name(keys: list[str]) -> str:
    r"""Return the keys of a metric as one name: joined by dots, `\.` for a dot inside a key."""
    if len(keys) == 1 and "." not in keys[0]:  # nearly every item
        return keys[0]
    return ".".join(key.replace(".", "\\.") for key in keys)


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        raise WireError("a field isn't text")
    return value.decode(errors="replace")


def update(values: dict[str, Any], content: bytes) -> None:
    """Set and remove the values of a config or summary record in nested dictionaries.

    Raises:
        ValueError: the record is damaged.
        RecursionError: a value is nested deeper than Python's JSON reader goes.
    """
    for number, value in iter_fields(content):
        if number == 1:  # update
            keys, text = read_item(value)
            set_value(values, keys, _loads(text))
        elif number == 2:  # remove
            *above, last = read_item(value)[0]
            _dictionary_at(values, above).pop(last, None)


_scan: Callable[[str, int], tuple[Any, int]] = vars(json.JSONDecoder())["scan_once"]


def _loads(text: str) -> Any:
    """Return the same as `json.loads`, in a quarter of its time for a number."""
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return json.loads(text)
    return value if end == len(text) else json.loads(text)


def set_value(values: dict[str, Any], keys: list[str], value: Any) -> None:
    """Set one value in nested dictionaries."""
    *above, last = keys
    _dictionary_at(values, above)[last] = value


def _dictionary_at(values: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return the dictionary that `keys` lead to; create it, or put it in a value's place."""
    for key in keys:
        below = values.get(key)
        if not isinstance(below, dict):
            below = values[key] = {}
        values = below
    return values


def _nanoseconds(stamp: Message) -> int:
    return int(stamp.seconds) * SECOND + int(stamp.nanos)


def _add_summary(segment: Segment, content: bytes) -> None:
    update(segment.summary, content)


def _add_config(segment: Segment, content: bytes) -> None:
    update(segment.config, content)


def _add_stats(segment: Segment, content: bytes) -> None:
    stats = decode("Stats", content)
    values = {item.key: item.value_json for item in stats.item}
    logged = values.pop("_runtime", None)
    runtime = None if logged is None else float(logged)
    segment.stats.append(StatsSample(_nanoseconds(stats.timestamp), values, runtime))


def _add_metric(segment: Segment, content: bytes) -> None:
    define(segment.metrics, content)


def _add_output(segment: Segment, content: bytes) -> None:
    output = decode("Output", content)
    stream = "stdout" if output.output_type else "stderr"
    segment.console.append(Output(seconds(_nanoseconds(output.timestamp)), stream, output.line))


def _add_run(segment: Segment, content: bytes) -> None:
    run = decode("Run", content)
    update(segment.config, run.config)
    update(segment.summary, run.summary)
    segment.git_commit = run.git.commit or segment.git_commit
    segment.git_remote = run.git.remote_url or segment.git_remote
    segment.run = RunHeader(
        id=run.run_id,
        entity=run.entity,
        project=run.project,
        group=run.run_group,
        job_type=run.job_type,
        name=run.display_name,
        notes=run.notes,
        tags=tuple(run.tags),
        sweep_id=run.sweep_id,
        host=run.host,
        start_ns=_nanoseconds(run.start_time),
        is_resuming=run.resume or run.resumed,
        starting_step=run.starting_step,
    )


def _add_exit(segment: Segment, content: bytes) -> None:
    end = decode("Exit", content)
    segment.exit_code, segment.runtime_s = end.exit_code, end.runtime


def _add_environment(segment: Segment, content: bytes) -> None:
    """Add a part of the environment; W&B writes several of these records, each with some fields."""
    found = vars(decode("Environment", content))
    git = found.pop("git")
    segment.git_commit = git.commit or segment.git_commit
    segment.git_remote = git.remote_url or segment.git_remote
    segment.environment |= {name: value for name, value in found.items() if value}


def _add_telemetry(segment: Segment, content: bytes) -> None:
    found = vars(decode("Telemetry", content))
    segment.telemetry |= {name: value for name, value in found.items() if value}


def _add_artifact(segment: Segment, content: bytes) -> None:
    artifact = decode("Artifact", content)
    segment.artifacts.append(
        Artifact(
            name=artifact.name,
            type=artifact.type,
            digest=artifact.digest,
            aliases=tuple(artifact.aliases),
            metadata=json.loads(artifact.metadata) if artifact.metadata else None,
            is_used=artifact.use_after_commit,
            files={
                entry.path: ArtifactFile(
                    digest=entry.digest,
                    bytes=entry.size,
                    path=Path(entry.local_path) if entry.local_path else None,
                    ref=entry.ref,
                )
                for entry in artifact.manifest.contents
            },
            description=artifact.description,
            client_id=artifact.client_id,
        )
    )


def _add_used_artifact(segment: Segment, content: bytes) -> None:
    used = decode("UseArtifact", content)
    segment.artifacts.append(Artifact(used.name, used.type, "", (), None, True, {}))


_ADDERS: dict[int, Callable[[Segment, bytes], None]] = {  # by kind
    SUMMARY: _add_summary,
    5: _add_config,
    7: _add_stats,
    8: _add_artifact,
    11: _add_telemetry,
    12: _add_metric,
    13: _add_output,
    17: _add_run,
    18: _add_exit,
    25: _add_used_artifact,
    26: _add_environment,
}
