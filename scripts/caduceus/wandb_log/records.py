"""What the records of a log say: one segment of a run."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caduceus.wandb_log.framing import Damage
from caduceus.wandb_log.wire import Message, WireError, decode, iter_fields, read_varint

Row = dict[str, str]  # JSON text by metric, exactly as it stands in the log

HISTORY, SUMMARY = 2, 3  # field numbers of a Record


@dataclass(frozen=True)
class RunHeader:
    """Who the run said it was when the process started; times in seconds since 1970.

    `is_resuming` says that the process was started with `resume=`; `starting_step` is what a server
    then answered, 0 offline.
    """

    id: str
    entity: str
    project: str
    group: str
    job_type: str
    name: str
    notes: str
    tags: tuple[str, ...]
    sweep_id: str
    host: str
    start_time: float
    is_resuming: bool
    starting_step: int


@dataclass(frozen=True)
class StatsSample:
    """W&B's own system metrics at one time, in seconds since 1970; JSON text by metric."""

    time: float
    values: Row


@dataclass(frozen=True)
class Output:
    """What the program printed at one time, in seconds since 1970; `stream` is stdout or stderr."""

    time: float
    stream: str
    text: str


@dataclass(frozen=True)
class ArtifactFile:
    """A file of an artifact.

    `digest` is the base64 md5, `path` where the file lay when it was logged (None for a reference
    to `ref`), `bytes` its size.
    """

    digest: str
    bytes: int
    path: Path | None
    ref: str


@dataclass(frozen=True)
class Artifact:
    """An artifact that was logged, or with `is_used` one that the run took in.

    An artifact taken from a server has a name and a type only.
    """

    name: str
    type: str
    digest: str
    aliases: tuple[str, ...]
    metadata: Any
    is_used: bool
    files: dict[str, ArtifactFile]


@dataclass
class Segment:
    r"""What one process wrote to a run.

    `history` holds a row for each step, in the order written. A nested metric's name is its keys
    joined by dots; a dot inside a key is written `\.`. `summary` and `config` hold values, nested
    as logged. `environment` and `telemetry` hold what W&B noted about machine, program and SDK.
    `exit_code` is None if the process never ended the run.
    """

    path: Path
    run: RunHeader | None = None
    history: list[Row] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    stats: list[StatsSample] = field(default_factory=list)
    console: list[Output] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    telemetry: dict[str, str] = field(default_factory=dict)
    git_commit: str = ""
    git_remote: str = ""
    exit_code: int | None = None
    runtime_s: int | None = None
    damage: Damage = field(default_factory=Damage)
    last_record: int = 0  # number of the last record that was read

    @property
    def files(self) -> Path:
        """The folder of the files that belong to the run, with its media."""
        return self.path.parent / "files"

    @property
    def program(self) -> str:
        """The training program, relative to its repository if it has one."""
        return str(self.environment.get("code_path") or self.environment.get("program") or "")


def add_record(segment: Segment, payload: bytes) -> Row | None:
    """Add what a record says to `segment`, or return it if it is a row of the history.

    A record that isn't what W&B writes is counted in `segment.damage`, as are the records missing
    before this one: W&B numbers them 1, 2, 3, ….
    """
    number = record_number(payload)
    if number > segment.last_record:
        segment.damage.lost_records += number - segment.last_record - 1
        segment.last_record = number
    return add_content(segment, payload)


def record_number(payload: bytes) -> int:
    """The number of a record, its first field; 0 if it has none."""
    try:
        number = read_varint(payload, 1)[0] if payload[:1] == b"\x08" else 0
    except WireError:
        return 0
    return number if number < 1 << 28 else 0


def add_content(segment: Segment, payload: bytes) -> Row | None:
    """As `add_record`, but for the number."""
    try:
        kind, content = split_record(payload)
        if kind == HISTORY:
            return read_row(content)
        if kind in _ADDERS:
            _ADDERS[kind](segment, content)
    except (ValueError, RecursionError):  # WireError, or JSON that isn't
        segment.damage.unreadable_records += 1
    return None


def split_record(payload: bytes) -> tuple[int, bytes]:
    """The field number of a record's kind, and its content."""
    kind, content = 0, b""
    for number, value in iter_fields(payload):
        if number not in _NOT_KINDS and isinstance(value, bytes):
            kind, content = number, value
    return kind, content


_NOT_KINDS = (1, 16, 19, 200)  # num, control, uuid, _info


def read_row(content: bytes) -> Row:
    """A row of the history."""
    row = {}
    for number, value in iter_fields(content):
        if number == 1:
            keys, text = read_item(value)
            row[metric_name(keys)] = text
    return row


def read_item(content: Any) -> tuple[list[str], str]:
    """Keys and JSON text of an item of a history, summary or config record."""
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
    r"""The keys of a metric as one name: joined by dots, `\.` for a dot inside a key."""
    if len(keys) == 1 and "." not in keys[0]:  # nearly every item
        return keys[0]
    return ".".join(key.replace(".", "\\.") for key in keys)


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        raise WireError("a field isn't text")
    return value.decode(errors="replace")


def update(values: dict[str, Any], content: bytes) -> None:
    """Set and remove what a config or summary record says, in nested dictionaries."""
    for number, value in iter_fields(content):
        if number == 1:
            keys, text = read_item(value)
            set_value(values, keys, json.loads(text))
        elif number == 2:
            *above, last = read_item(value)[0]
            _below(values, above).pop(last, None)


def set_value(values: dict[str, Any], keys: list[str], value: Any) -> None:
    """Set one value in nested dictionaries."""
    *above, last = keys
    _below(values, above)[last] = value


def _below(values: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    for key in keys:
        below = values.get(key)
        if not isinstance(below, dict):
            below = values[key] = {}
        values = below
    return values


def _seconds(stamp: Message) -> float:
    return float(stamp.seconds) + float(stamp.nanos) / 1e9


def _add_summary(segment: Segment, content: bytes) -> None:
    update(segment.summary, content)


def _add_config(segment: Segment, content: bytes) -> None:
    update(segment.config, content)


def _add_stats(segment: Segment, content: bytes) -> None:
    stats = decode("Stats", content)
    values = {item.key: item.value_json for item in stats.item}
    segment.stats.append(StatsSample(_seconds(stats.timestamp), values))


def _add_output(segment: Segment, content: bytes) -> None:
    output = decode("Output", content)
    stream = "stdout" if output.output_type else "stderr"
    segment.console.append(Output(_seconds(output.timestamp), stream, output.line))


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
        start_time=_seconds(run.start_time),
        is_resuming=run.resume or run.resumed,
        starting_step=run.starting_step,
    )


def _add_exit(segment: Segment, content: bytes) -> None:
    found = decode("Exit", content)
    segment.exit_code, segment.runtime_s = found.exit_code, found.runtime


def _add_environment(segment: Segment, content: bytes) -> None:
    """Several of these records come, each with a part of the whole."""
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
        )
    )


def _add_used_artifact(segment: Segment, content: bytes) -> None:
    used = decode("UseArtifact", content)
    segment.artifacts.append(Artifact(used.name, used.type, "", (), None, True, {}))


_ADDERS: dict[int, Callable[[Segment, bytes], None]] = {
    SUMMARY: _add_summary,
    5: _add_config,
    7: _add_stats,
    8: _add_artifact,
    11: _add_telemetry,
    13: _add_output,
    17: _add_run,
    18: _add_exit,
    25: _add_used_artifact,
    26: _add_environment,
}
