"""The export of a run as plain files, read from W&B's own log."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.exports.dropped_rows import dropped_rows
from caduceus.exports.history import History, export_history, without_references
from caduceus.exports.history_columns import TIME_COLUMNS
from caduceus.exports.reported_config import used_config
from caduceus.exports.resumptions import resumptions
from caduceus.exports.run_artifacts import (
    artifacts_of,
    describe_artifact,
    export_artifacts,
    export_media,
    refused_names,
)
from caduceus.exports.run_files import export_files
from caduceus.exports.table_media import export_table_media, unlogged_tables
from caduceus.exports.wandb_notes import present_notes
from caduceus.io.cells import canonical
from caduceus.io.files import Json, describe, files_below
from caduceus.runs.files.export import (
    ChangedParameter,
    DefinedMetric,
    ExportedFile,
    ExportedSegment,
    Git,
    Manifest,
    Summary,
)
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import SEED, Params
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import check_logs
from caduceus.runs.logs import description_at_start, read_uploads, stitch_attempts
from caduceus.wandb_log import Artifact, LogError, Part, Segment, gaps, iter_rows, stitch
from caduceus.wandb_log.definitions import MetricDefinition, defined_metrics
from caduceus.wandb_log.summaries import summary_of

_UNKNOWN = ""  # the state of a run, until its log says it
_STATES = {None: "unfinished", 0: "finished"}  # by exit code; any other means failed
# Keys of run_summary.json, its `summary` and its artifacts that differ between two equal runs.
# Comparisons leave them out, with the time columns and system_metrics.csv.
VOLATILE = ("started_at", "runtime_s", "host")
VOLATILE_VALUES = (*TIME_COLUMNS, "_wandb")
# A server adds `latest` and vN, and moves them to later versions; other users may add theirs.
VOLATILE_OF_ARTIFACTS = ("aliases",)


@dataclass(frozen=True)
class _Known:
    """The part of a run's summary that is known without its logs.

    Attributes:
        summary: its identity and its configuration.
        parameters: the names in the configuration that the program may change.
        description: the notes with which the program was started; None if they aren't known.
    """

    summary: Summary
    parameters: Collection[str] = ()
    description: str | None = None

    @classmethod
    def of(cls, folder: RunFolder, state: str) -> "_Known":
        """Return what is known of a planned run."""
        identity = Identity.read(folder.run_json)
        params = Params.read_if_there(RunFolder(folder.owner).params_json)
        config = params.named_config(identity.config) if params else identity.config
        names = {*params.parameters, params.seed_argument or SEED} if params else config.keys()
        summary = replace(Summary.of(identity, state), config=config)
        return cls(summary, names, description_at_start(folder))


def export_run(folder: RunFolder, log: Path | None = None) -> Manifest:
    """Write the export of a planned run into its folder, and return its manifest.

    Writes run_summary.json, metrics_history.csv, system_metrics.csv, media/, artifacts/, files/ and
    manifest.json. results/README.md says what is in each.

    Args:
        folder: the run's folder.
        log: a log that `server.logs.fetch_log` wrote, to read instead of the run's own.

    Raises:
        ResultError: the log can't be read, or isn't what the run left; or a file of an artifact
            isn't what was logged.
    """
    return _finish(folder, export_run_into(folder, folder.path, log))


def export_skipped(folder: RunFolder) -> Manifest:
    """Write the export of a planned run that was never started: empty tables, state `skipped`."""
    return _finish(folder, _export([], [], _Known.of(folder, "skipped"), folder.path, []))


def _finish(folder: RunFolder, manifest: Manifest) -> Manifest:
    for problem in manifest.missing or ():
        raise ResultError(f"{problem}; delete {folder.path} to have the run made again")
    manifest = replace(manifest, missing=None)
    manifest.write(folder.manifest_json)
    return manifest


def export_run_into(folder: RunFolder, out: Path, log: Path | None = None) -> Manifest:
    """Write the export of a planned run into `out`, and return its manifest, which isn't written.

    Args:
        folder: the run's folder.
        out: takes the export.
        log: a log that `server.logs.fetch_log` wrote, to read instead of the run's own.

    Raises:
        ResultError: the log can't be read, or isn't what the run left.
    """
    bases = [folder.path, folder.owner, folder.output]
    try:
        if log is not None:
            return _export(stitch([log]), [], _Known.of(folder, _UNKNOWN), out, bases)
        train = Train.read(folder.train_json)
        check_logs(folder, train.attempts)
        parts = stitch_attempts(folder, train.attempts)
        known = _Known.of(folder, train.state)
        manifest = _export(parts, read_uploads(folder), known, out, bases)
        return replace(manifest, attempts=tuple(resumptions(folder, train.attempts)) or None)
    except LogError as error:
        raise ResultError(f"{error}; delete it if it was never a log") from None


def export_logs(logs: Sequence[Path], folder: Path) -> Manifest:
    """Write the export of a run of which only W&B's logs exist, and return its manifest.

    The files are those of `export_run`. The manifest lists under `missing` the files of artifacts
    that aren't what was logged, which are left out, and under `replaced` the logs that a later
    process replaced by starting the run afresh, with the number of their rows. Until the export is
    whole, there is no manifest.

    Args:
        logs: the `.wandb` files of one run.
        folder: takes the export.

    Raises:
        LogError: a log can't be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").unlink(missing_ok=True)
    parts = stitch(logs)
    run = next((part.run for part in reversed(parts) if part.run), None)
    about = Summary(
        run_id=run.id if run else folder.name,
        name=run.name if run else "",
        experiment=None,
        variant=None,
        seed=None,
        state=_UNKNOWN,
        entity=run.entity if run else "",
        project=run.project if run else "",
        group=run.group if run else "",
        job_type=run.job_type if run else "",
        tags=run.tags if run else (),
        notes=run.notes if run else "",
        config={},
        summary={},
    )
    bases = [base for part in parts for base in (part.path.parent, *part.path.parents[1:3])]
    manifest = _export(parts, [], _Known(about, description=about.notes), folder, bases)
    left_out = set(logs) - {part.path for part in parts}
    rows = {str(log): sum(1 for _ in iter_rows(Segment(log))) for log in sorted(left_out)}
    manifest = replace(manifest, replaced={log: number for log, number in rows.items() if number})
    manifest.write(folder / "manifest.json")
    return manifest


def _export(
    parts: Sequence[Part],
    uploads: Sequence[Segment],
    known: _Known,
    folder: Path,
    bases: Sequence[Path],
) -> Manifest:
    """Write all files but the manifest, which is returned with what is missing.

    Args:
        parts: the logs of the run.
        uploads: the logs that hold artifacts only.
        known: what is known of the run without its logs.
        folder: takes the export.
        bases: folders that may have moved, with their content, since files were logged.
    """
    history = export_history(parts, folder)
    segments = [*history.segments, *uploads]
    artifacts = artifacts_of(segments)
    left_out = (
        *export_media(history.segments, folder / "media"),
        *export_files(history.segments, folder / "files", bases),
        *refused_names(segments),
        *unlogged_tables(history.segments, history.tables, folder),
    )
    missing = (
        *export_table_media(history.segments, history.tables, folder, bases),
        *export_artifacts(artifacts, folder / "artifacts", bases),
    )
    exit_code = history.segments[-1].exit_code if history.segments else None
    values: dict[str, Json] = canonical(without_references(summary_of(parts, history.segments)))
    last = max((part.last for part in parts if part.last is not None), default=None)
    if last is not None:  # a sync that has no row to send leaves it out
        values = dict(sorted({**values, "_step": last}.items()))
    config, changed = _config(known, history.segments)
    summary = replace(
        _with_logged(known, history.segments, segments, artifacts),
        state=known.summary.state or _STATES.get(exit_code, "failed"),
        config=config,
        summary=values,
        rows_sha256=history.rows_sha256,
        defined_metrics=_defined_metrics(history) or None,
    )
    summary.write(folder / "run_summary.json")
    return replace(
        _manifest(folder, history.rows, parts, segments),
        missing=missing,
        left_out=left_out or None,
        changed_parameters=changed or None,
        dropped_rows=dropped_rows(parts, folder / "metrics_history.csv"),
    )


def _config(
    known: _Known, segments: Sequence[Segment]
) -> tuple[Mapping[str, Json], Mapping[str, ChangedParameter]]:
    """Return the configuration that a run used, and its changed parameters."""
    logged: dict[str, Json] = {}
    for segment in segments:
        logged |= segment.config
    logged.pop("_wandb", None)  # W&B's own notes on the SDK
    config, changed = used_config(known.summary.config, logged, known.parameters)
    return canonical(without_empty(config), are_integers_exact=True), changed


def _defined_metrics(history: History) -> Mapping[str, DefinedMetric]:
    definitions: dict[str, MetricDefinition] = {}
    for segment in history.segments:
        definitions |= segment.metrics
    found = defined_metrics(definitions, history.columns)
    return {column: DefinedMetric(**asdict(each)) for column, each in found.items()}


def _with_logged(
    known: _Known,
    segments: Sequence[Segment],
    with_uploads: Sequence[Segment],
    artifacts: Sequence[Artifact],
) -> Summary:
    """Add what the logs say of a run's tags, notes, artifacts, program, host and times."""
    about = known.summary
    headers = [segment.run for segment in with_uploads if segment.run]
    first = segments[0].run if segments else None
    last = segments[-1] if segments else None
    return replace(
        about,
        tags=tuple(dict.fromkeys([*about.tags, *(tag for each in headers for tag in each.tags)])),
        notes=present_notes(
            about.notes,
            known.description,
            [segment.run.notes for segment in segments if segment.run],
        ),
        git=Git(commit=last.git_commit, remote=last.git_remote) if last else Git(),
        program=last.program if last else "",
        artifacts=tuple(describe_artifact(each) for each in artifacts if not each.is_used),
        used_artifacts=tuple(describe_artifact(each) for each in artifacts if each.is_used),
        started_at=datetime.fromtimestamp(first.start_time, UTC).isoformat() if first else None,
        runtime_s=last.runtime_s if last else None,
        host=first.host if first else None,
    )


def without_empty(value: Json) -> Json:
    """Return `value` without empty dictionaries, which W&B doesn't send in a configuration."""
    if not isinstance(value, Mapping):
        return value
    filled = {key: without_empty(inside) for key, inside in value.items()}
    return {key: inside for key, inside in filled.items() if inside != {}}


def _manifest(
    path: Path, rows: int, parts: Sequence[Part], segments: Sequence[Segment]
) -> Manifest:
    files = [
        path / name for name in ("run_summary.json", "metrics_history.csv", "system_metrics.csv")
    ]
    for name in ("media", "artifacts", "files"):
        files += files_below(path / name)
    described = {
        name: ExportedFile(
            bytes=file.bytes,
            sha256=file.sha256,
            rows=rows if name == "metrics_history.csv" else None,
        )
        for name, file in describe(path, files).items()
    }
    return Manifest(
        run=path.name,
        files=described,
        segments=tuple(
            ExportedSegment(
                log=os.path.relpath(part.path, path),
                rule=part.rule,
                rows=part.rows,
                dropped=part.dropped,
                shift=part.shift,
                first=part.first,
                last=part.last,
            )
            for part in parts
        ),
        gaps=tuple(gaps(parts)),
        damage={
            "corrupt_blocks": sum(s.damage.corrupt_blocks for s in segments),
            "unreadable_records": sum(s.damage.unreadable_records for s in segments),
            "lost_records": sum(s.damage.lost_records for s in segments),
            "cut_off": sum(s.damage.is_cut_off for s in segments),
        },
    )
