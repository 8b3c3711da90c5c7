"""What a log says: one segment of a run, and what belongs to it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caduceus.wandb_log.framing import Damage

Row = dict[str, str]  # JSON text by metric, exactly as it stands in the log
SECOND = 10**9  # nanoseconds
# Types of artifacts that W&B logs on its own account; tables are media already.
WANDBS_OWN_TYPES = (
    "run_table",
    "wandb-run-incremental-table",
    "job",
    "wandb-history",
    "wandb-events",
)


def seconds(nanoseconds: int) -> float:
    """In seconds, as Go computes it, so that W&B's own figures come out to the last digit."""
    return nanoseconds // SECOND + nanoseconds % SECOND / 1e9


@dataclass(frozen=True)
class RunHeader:
    """Who the run said it was when the process started; times since 1970.

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
    start_ns: int
    is_resuming: bool
    starting_step: int

    @property
    def start_time(self) -> float:
        """When the process began."""
        return seconds(self.start_ns)


@dataclass(frozen=True)
class StatsSample:
    """W&B's own system metrics at one time, since 1970; JSON text by metric.

    `runtime`, in seconds since the run began, is None unless the log was fetched from a server.
    """

    time_ns: int
    values: Row
    runtime: float | None = None

    @property
    def time(self) -> float:
        """In seconds."""
        return seconds(self.time_ns)


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
