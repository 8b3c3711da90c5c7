"""run_summary.json and manifest.json: the export of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from caduceus.io.files import Json
from caduceus.io.json_records import Record
from caduceus.runs.files.identity import Identity

STEP = "_step"  # W&B's own step, the axis of a metric for which none is declared
_EXPORTED_AGAIN = "delete it, and the next `snakemake` exports the run again"


@dataclass(frozen=True, kw_only=True)
class Git(Record):
    """The git commit that wandb noted, and the address of the remote; empty if there is none."""

    commit: str | None = ""
    remote: str | None = ""


@dataclass(frozen=True, kw_only=True)
class ArtifactFile(Record):
    """A file of an artifact.

    Attributes:
        bytes: its size; 0 if it isn't known.
        md5: its md5 in base64, W&B's digest; of a reference the digest that W&B noted, such as an
            ETag, or the address itself.
        ref: the address of a reference; None for a file that the artifact holds.
    """

    bytes: int
    md5: str
    ref: str | None = None

    optional = ("ref",)


@dataclass(frozen=True, kw_only=True)
class ExportedArtifact(Record):
    """A version of an artifact that a run logged or took in.

    Attributes:
        name: its name.
        type: its type.
        digest: W&B's digest of all its files.
        aliases: sorted.
        metadata: whatever the program gave it.
        files: by their paths inside.
        description: what the program said of it; None for nothing.
    """

    name: str
    type: str
    digest: str
    aliases: tuple[str, ...]
    metadata: Json
    files: Mapping[str, ArtifactFile]
    description: str | None = None

    optional = ("description",)


@dataclass(frozen=True)
class DefinedMetric:
    """The definition of a metric that a program made by `define_metric`.

    Attributes:
        step_metric: the metric that is its x axis; empty for `_step`.
        step_sync: whether wandb wrote the last value of `step_metric` into rows that lack it.
        hidden: whether W&B leaves it out of automatic charts.
    """

    step_metric: str = ""
    step_sync: bool = False
    hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Summary(Record):
    """The content of run_summary.json: the run as one object.

    Attributes:
        run_id: the run's id.
        name: what W&B shows.
        experiment: the id of its experiment; None of a run that no experiment describes.
        variant: its variant; None likewise.
        seed: its seed; None likewise.
        state: `finished`, `failed`, `skipped` or `unfinished`.
        entity: the W&B user or team.
        project: the W&B project.
        group: its W&B group; empty for none.
        job_type: its W&B job type.
        tags: its W&B tags.
        notes: its W&B notes.
        config: its configuration, nested as logged.
        summary: its results, nested as logged.
        git: the commit that wandb noted.
        program: the program that wandb noted.
        artifacts: what it logged.
        used_artifacts: what it took in.
        started_at: as ISO 8601, UTC.
        runtime_s: seconds of its last process.
        host: the host of its first process.
        rows_sha256: of metrics_history.csv without times, speeds and the like; None if no row has
            a metric.
        defined_metrics: by the columns of metrics_history.csv, those to which the program gave an x
            axis or that it hid, by `define_metric`; None for none.
    """

    run_id: str
    name: str
    experiment: str | None
    variant: str | None
    seed: int | None
    state: str
    entity: str | None
    project: str
    group: str
    job_type: str
    tags: tuple[str, ...]
    notes: str
    config: Mapping[str, Json]
    summary: Mapping[str, Json]
    git: Git = Git()
    program: str = ""
    artifacts: tuple[ExportedArtifact, ...] = ()
    used_artifacts: tuple[ExportedArtifact, ...] = ()
    started_at: str | None = None
    runtime_s: float | None = None
    host: str | None = None
    rows_sha256: str | None = None
    defined_metrics: Mapping[str, DefinedMetric] | None = None

    optional = ("rows_sha256", "defined_metrics")
    mend = _EXPORTED_AGAIN

    def axis_of(self, metric: str) -> str:
        """Return the x axis of a metric: the one that the program declared, else `_step`."""
        defined = (self.defined_metrics or {}).get(metric)
        return (defined and defined.step_metric) or STEP

    @classmethod
    def of(cls, identity: Identity, state: str) -> "Summary":
        """Describe a planned run that has logged nothing."""
        return cls(
            run_id=identity.id,
            name=identity.name,
            experiment=identity.experiment,
            variant=identity.variant,
            seed=identity.seed,
            state=state,
            entity=identity.entity,
            project=identity.project,
            group=identity.group,
            job_type=identity.job_type,
            tags=identity.tags,
            notes=identity.notes,
            config=identity.config,
            summary={},
        )


@dataclass(frozen=True, kw_only=True)
class ExportedFile(Record):
    """Size and sha256 of an exported file; of metrics_history.csv its number of rows too."""

    bytes: int
    sha256: str
    rows: int | None = None

    optional = ("rows",)


@dataclass(frozen=True)
class ExportedSegment:
    """The share of a log in a run: see `wandb_log.Part`. `log` is relative to the run's folder."""

    log: str
    rule: str
    rows: int
    dropped: int
    shift: int
    first: int | None
    last: int | None


@dataclass(frozen=True)
class ChangedParameter:
    """A parameter's value by the experiment, and the value that the program reported."""

    planned: Json
    used: Json


@dataclass(frozen=True, kw_only=True)
class DroppedRows(Record):
    """Rows that wandb refused, since their step was below that of an earlier row.

    Attributes:
        rows: how many.
        metrics: in how many of them each metric was.
        lost: the metrics that no row of the run has.
    """

    rows: int
    metrics: Mapping[str, int]
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResumedAttempt:
    """How an attempt went on from the rows of the earlier ones.

    Attributes:
        attempt: its number.
        resumed_from: the first step that is its own; None if it started afresh.
        by: how that is known; None if that wasn't recorded.
        metric: the metric that showed it, if one did.
        kept: how many of the earlier rows belong to the run.
        replaced: how many of them don't.
    """

    attempt: int
    resumed_from: int | None
    by: str | None
    metric: str | None
    kept: int
    replaced: int


@dataclass(frozen=True, kw_only=True)
class Manifest(Record):
    """The content of manifest.json: the exported files, and what was lost.

    Attributes:
        run: the run's id.
        files: by their paths in the run's folder.
        segments: the logs that the run consists of, in their order.
        gaps: pairs of steps between which rows are missing; -1 stands for the start of the run.
        damage: how much of the logs couldn't be read, by its kind.
        missing: files of artifacts that can't be read or downloaded, each with the reason; only
            where a run is exported from its log alone.
        left_out: names that can't be a file's, and links that lead out of the run's files, each
            with the reason; None for none.
        replaced: logs that a later process replaced by starting afresh, with their rows; likewise.
        changed_parameters: by name, nested keys joined by dots; None for none.
        dropped_rows: None for none.
        attempts: the attempts after the first that have rows; None for none.
    """

    run: str
    files: Mapping[str, ExportedFile]
    segments: tuple[ExportedSegment, ...] = ()
    gaps: tuple[tuple[int, ...], ...] = ()
    damage: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] | None = None
    left_out: tuple[str, ...] | None = None
    replaced: Mapping[str, int] | None = None
    changed_parameters: Mapping[str, ChangedParameter] | None = None
    dropped_rows: DroppedRows | None = None
    attempts: tuple[ResumedAttempt, ...] | None = None

    optional = (
        *("missing", "left_out", "replaced"),
        *("changed_parameters", "dropped_rows", "attempts"),
    )
    mend = _EXPORTED_AGAIN

    @property
    def lost(self) -> dict[str, int]:
        """The counts of what is lost for good, by kind.

        A log that is cut off counts as whole: a killed program leaves it so, and every row that it
        wrote is read.
        """
        return {kind: n for kind, n in self.damage.items() if n and kind != "cut_off"}
