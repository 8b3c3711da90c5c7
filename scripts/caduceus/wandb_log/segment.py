"""One `.wandb` file, decoded."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from caduceus.wandb_log.framing import Damage, LogError, iter_records
from caduceus.wandb_log.messages import Record

Row = dict[str, str]  # JSON text by metric, exactly as it stands in the log


@dataclass(frozen=True)
class RunHeader:
    """Who the run said it was when the process started; times in seconds since 1970."""

    id: str
    entity: str
    project: str
    group: str
    job_type: str
    name: str
    notes: str
    tags: tuple[str, ...]
    host: str
    start_time: float


@dataclass(frozen=True)
class StatsSample:
    """W&B's own system metrics at one time, in seconds since 1970; JSON text by metric."""

    time: float
    values: Row


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
    """An artifact that was logged, or with `is_used` one that the run took in."""

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
    as logged. `exit_code` is None if the process never ended the run.
    """

    path: Path
    run: RunHeader | None = None
    history: list[Row] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    stats: list[StatsSample] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    git_commit: str = ""
    git_remote: str = ""
    program: str = ""
    python: str = ""
    exit_code: int | None = None
    runtime_s: int | None = None
    damage: Damage = field(default_factory=Damage)

    @property
    def files(self) -> Path:
        """The folder of the files that belong to the run, with its media."""
        return self.path.parent / "files"


def read_log(path: Path) -> Segment:
    """Read a `.wandb` file to its last whole record.

    Raises:
        LogError: the file is missing or isn't a `.wandb` log of version 0. A log that is cut off
            or damaged inside is read as far as it can be; `damage` says what is lost.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LogError(f"{path}: can't be read: {error.strerror}") from error
    segment = Segment(path)
    try:
        for payload in iter_records(data, segment.damage):
            _add(segment, payload)
    except LogError as error:
        raise LogError(f"{path}: {error}") from None
    return segment


def _add(segment: Segment, payload: bytes) -> None:
    try:
        record: Any = Record.FromString(payload)  # type: ignore[attr-defined]
    except DecodeError:
        segment.damage.unreadable_records += 1
        return
    if record.HasField("history"):
        segment.history.append({_name(item): item.value_json for item in record.history.item})
    elif record.HasField("summary"):
        _update(segment.summary, record.summary)
    elif record.HasField("stats"):
        stamp = record.stats.timestamp
        values = {item.key: item.value_json for item in record.stats.item}
        segment.stats.append(StatsSample(_seconds(stamp), values))
    elif record.HasField("config"):
        _update(segment.config, record.config)
    elif record.HasField("artifact"):
        segment.artifacts.append(_artifact(record.artifact))
    elif record.HasField("run"):
        segment.run = _run(record.run)
        _update(segment.config, record.run.config)
    elif record.HasField("environment"):
        found = record.environment  # several, each with a part of the whole
        segment.git_commit = found.git.commit or segment.git_commit
        segment.git_remote = found.git.remote_url or segment.git_remote
        segment.program = found.code_path or segment.program
        segment.python = found.python or segment.python
    elif record.HasField("exit"):
        segment.exit_code = record.exit.exit_code
        segment.runtime_s = record.exit.runtime


def _keys(item: Any) -> list[str]:
    return list(item.nested_key) or [item.key]


def _name(item: Any) -> str:
    if not item.nested_key:
        return str(item.key)
    if len(item.nested_key) == 1 and "." not in item.nested_key[0]:  # nearly every item
        return str(item.nested_key[0])
    return ".".join(key.replace(".", "\\.") for key in item.nested_key)


def _seconds(stamp: Any) -> float:
    return float(stamp.seconds) + float(stamp.nanos) / 1e9


def _update(values: dict[str, Any], change: Any) -> None:
    """Set and remove what a config or summary record says, in nested dictionaries."""
    for item in change.update:
        *above, last = _keys(item)
        _below(values, above)[last] = json.loads(item.value_json)
    for item in change.remove:
        *above, last = _keys(item)
        _below(values, above).pop(last, None)


def _below(values: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    for key in keys:
        below = values.get(key)
        if not isinstance(below, dict):
            below = values[key] = {}
        values = below
    return values


def _run(run: Any) -> RunHeader:
    return RunHeader(
        id=run.run_id,
        entity=run.entity,
        project=run.project,
        group=run.run_group,
        job_type=run.job_type,
        name=run.display_name,
        notes=run.notes,
        tags=tuple(run.tags),
        host=run.host,
        start_time=_seconds(run.start_time),
    )


def _artifact(artifact: Any) -> Artifact:
    return Artifact(
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
