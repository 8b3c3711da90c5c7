"""A segment: the contents of one log, as plain values."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caduceus.wandb_log.definitions import MetricDefinition
from caduceus.wandb_log.framing import Damage

Row = dict[str, str]  # JSON text by metric, exactly as in the log
SECOND = 10**9  # nanoseconds
# Types of artifacts that wandb logs by itself; the tables are among a run's media, too.
TABLE_TYPES = ("run_table", "wandb-run-incremental-table")
WANDBS_OWN_TYPES = (*TABLE_TYPES, "job", "wandb-history", "wandb-events")
# Files that wandb itself writes to a run's folder files/, or lists among its files on a server.
_WANDBS_OWN_FILES = {
    *("config.yaml", "wandb-summary.json", "wandb-metadata.json", "output.log"),
    *("requirements.txt", "conda-environment.yaml", "wandb-history.jsonl", "wandb-events.jsonl"),
}


def is_programs_file(name: str) -> bool:
    """Whether a file among a run's files is one that the program saved, or its code.

    Media are no such files, as they belong to rows.
    """
    is_manifest = name.startswith("artifact/") and name.endswith("/wandb_manifest.json")
    return name not in _WANDBS_OWN_FILES and not name.startswith("media/") and not is_manifest


def seconds(nanoseconds: int) -> float:
    """Return a time in seconds, computed as Go does it, so that it equals W&B's to the last bit."""
    return nanoseconds // SECOND + nanoseconds % SECOND / 1e9


@dataclass(frozen=True)
class RunHeader:
    """The identity of the run, as the process started it; times are nanoseconds since 1970.

    `is_resuming` tells whether the process was started with `resume=`; `starting_step` is the step
    with which the server answered then, 0 offline.
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
    start_ns: int
    is_resuming: bool
    starting_step: int

    @property
    def start_time(self) -> float:
        """When the process started, in seconds since 1970."""
        return seconds(self.start_ns)


@dataclass(frozen=True)
class StatsSample:
    """One sample of W&B's system metrics: JSON text by metric, at nanoseconds since 1970.

    `runtime`, in seconds since the start of the run, is None unless the log came from a server.
    """

    time_ns: int
    values: Row
    runtime: float | None = None

    @property
    def time(self) -> float:
        """The time in seconds since 1970."""
        return seconds(self.time_ns)


@dataclass(frozen=True)
class Output:
    """Text that the program printed, at seconds since 1970; `stream` is stdout or stderr."""

    time: float
    stream: str
    text: str


@dataclass(frozen=True)
class ArtifactFile:
    """A file of an artifact.

    `digest` is the md5 in base64, `bytes` the size, `path` the place of the file when it was logged
    (None for a reference to the address `ref`).
    """

    digest: str
    bytes: int
    path: Path | None
    ref: str


@dataclass(frozen=True)
class Artifact:
    """An artifact that the run logged, or, with `is_used`, took as an input.

    An input from a server has a name and a type only. `client_id` is the random id by which rows
    refer to the artifact of a table.
    """

    name: str
    type: str
    digest: str
    aliases: tuple[str, ...]
    metadata: Any
    is_used: bool
    files: dict[str, ArtifactFile]
    description: str = ""
    client_id: str = ""


@dataclass
class Segment:
    r"""All that one process wrote to a run.

    `history` holds a row for each step, in the order written. The name of a nested metric is its
    keys joined by dots; a dot inside a key is written `\.`. `summary` and `config` hold values,
    nested as logged; `nested` holds the last values of the rows' dictionaries that wandb up to 0.17
    wrote as one value. `metrics` holds what the program defined, by name or glob. `environment` and
    `telemetry` hold W&B's record of the machine, the program and the SDK. `exit_code` is None if
    the process didn't end the run, and `runtime_s` with it.
    """

    path: Path
    run: RunHeader | None = None
    history: list[Row] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    nested: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, MetricDefinition] = field(default_factory=dict)
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
        """The folder of the run's files, such as its media."""
        return self.path.parent / "files"

    @property
    def program(self) -> str:
        """The path of the training program, relative to its repository if it has one."""
        return str(self.environment.get("code_path") or self.environment.get("program") or "")
