"""Exports: a run or a group as plain files, read from W&B's own log."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.exports.history import export_history, without_references
from caduceus.exports.history_columns import TIME_COLUMNS
from caduceus.io.cells import canonical
from caduceus.io.files import describe, files_below, md5_base64, read_json, write_json
from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import read_uploads, stitch_attempts
from caduceus.wandb_log import Artifact, LogError, Part, Segment, gaps, iter_rows, stitch
from caduceus.wandb_log.segments import WANDBS_OWN_TYPES
from caduceus.wandb_log.summaries import summary_of

_STATES = {None: "unfinished", 0: "finished"}  # by exit code; others mean failed
# What differs between two runs of the same thing, in run_summary.json and in its `summary`. Whoever
# compares exports byte for byte leaves these, the time columns and system_metrics.csv out.
VOLATILE = ("started_at", "runtime_s", "host")
VOLATILE_VALUES = (*TIME_COLUMNS, "_wandb")


def export_run(folder: RunFolder, log: Path | None = None) -> dict[str, Any]:
    """Write the export of a planned run into its folder, and return its manifest.

    Writes run_summary.json, metrics_history.csv, system_metrics.csv, media/, artifacts/ and
    manifest.json. results/README.md says what is in each.

    Args:
        folder: the run's folder.
        log: one that `server_logs.fetch_log` wrote, to read instead of the run's own.

    Raises:
        ResultError: the log can't be read, or a file of an artifact isn't what was logged.
    """
    return _finish(folder, export_run_into(folder, folder.path, log))


def export_skipped(folder: RunFolder) -> dict[str, Any]:
    """The same of a planned run that was never begun, here or elsewhere: it has logged nothing."""
    identity = Identity.read(folder.run_json)
    about = _about(identity, "skipped")
    return _finish(folder, _export([], [], about, identity.config, folder.path, []))


def _finish(folder: RunFolder, manifest: dict[str, Any]) -> dict[str, Any]:
    for problem in manifest.pop("missing"):
        raise ResultError(f"{problem}; delete {folder.path} to have the run made again")
    write_json(folder.path / "manifest.json", manifest)
    return manifest


def _about(identity: Identity, state: str | None) -> dict[str, Any]:
    """The part of run_summary.json that the plan says; of the state what is known."""
    return {
        "run_id": identity.id,
        "name": identity.name,
        "experiment": identity.experiment,
        "variant": identity.variant,
        "seed": identity.seed,
        "state": state,
        "entity": identity.entity,
        "project": identity.project,
        "group": identity.group,
        "job_type": identity.job_type,
        "tags": identity.tags,
        "notes": identity.notes,
    }


def export_run_into(folder: RunFolder, out: Path, log: Path | None = None) -> dict[str, Any]:
    """Write the export of a planned run into `out`, but for manifest.json, which is returned.

    Args:
        folder: the run's folder.
        out: takes the export.
        log: one that `server_logs.fetch_log` wrote, to read instead of the run's own.

    Raises:
        ResultError: the log can't be read.
    """
    identity = Identity.read(folder.run_json)
    train: dict[str, Any] = {"state": None}
    if log is None:
        train = read_json(folder.path / "train.json")
    about = _about(identity, train["state"])
    try:
        if log is not None:
            parts, uploads = stitch([log]), []
        else:
            parts, uploads = stitch_attempts(folder, train["attempts"]), read_uploads(folder)
        bases = [folder.path, folder.owner, folder.output]
        return _export(parts, uploads, about, identity.config, out, bases)
    except LogError as error:
        raise ResultError(f"{error}; delete it if it was never a log") from None


def export_logs(logs: Sequence[Path], folder: Path) -> dict[str, Any]:
    """Write the export of a run of which there are only W&B's logs, and return its manifest.

    The files are those of `export_run`. Files of artifacts that are no longer what was logged are
    left out, and listed under `missing` in the manifest; under `replaced` are the logs that a later
    process began the run afresh after, with the number of their rows.

    Args:
        logs: the `.wandb` files of one run.
        folder: takes the export.

    Raises:
        LogError: a log can't be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = stitch(logs)
    run = next((part.run for part in reversed(parts) if part.run), None)
    about = {
        "run_id": run.id if run else folder.name,
        "name": run.name if run else "",
        **dict.fromkeys(("experiment", "variant", "seed")),
        "state": None,
        "entity": run.entity if run else "",
        "project": run.project if run else "",
        "group": run.group if run else "",
        "job_type": run.job_type if run else "",
        "tags": list(run.tags) if run else [],
        "notes": run.notes if run else "",
    }
    bases = [base for part in parts for base in (part.path.parent, *part.path.parents[1:3])]
    manifest = _export(parts, [], about, {}, folder, bases)
    left_out = set(logs) - {part.path for part in parts}
    rows = {str(log): sum(1 for _ in iter_rows(Segment(log))) for log in sorted(left_out)}
    manifest["replaced"] = {log: number for log, number in rows.items() if number}
    write_json(folder / "manifest.json", manifest)
    return manifest


def _export(
    parts: Sequence[Part],
    uploads: Sequence[Segment],
    about: dict[str, Any],
    config: Mapping[str, Any],
    folder: Path,
    bases: Sequence[Path],
) -> dict[str, Any]:
    """Write all but the manifest, which is returned."""
    history = export_history(parts, folder)
    segments = [*history.segments, *uploads]
    _export_media(history.segments, folder / "media")
    artifacts = _artifacts(segments)
    missing = list(_export_artifacts(artifacts, folder / "artifacts", bases))
    exit_code = history.segments[-1].exit_code if history.segments else None
    about["state"] = about["state"] or _STATES.get(exit_code, "failed")
    headers = [segment.run for segment in segments if segment.run]
    about["tags"] = list(dict.fromkeys([*about["tags"], *(t for h in headers for t in h.tags)]))
    said = _said_by(history.segments, summary_of(parts, history.segments), artifacts, config)
    summary = about | said
    last = max((part.last for part in parts if part.last is not None), default=None)
    if last is not None:  # a sync that has no row to send leaves it out
        summary["summary"]["_step"] = last
        summary["summary"] = dict(sorted(summary["summary"].items()))
    write_json(folder / "run_summary.json", summary)
    return _manifest(folder, history.rows, parts, segments) | {"missing": missing}


def damage_of(manifest: Path) -> dict[str, int]:
    """What an exported run has lost for good, by kind; nothing if it isn't exported.

    That a log is cut off is no damage: so a killed program leaves it, and all it wrote is read.
    """
    if not manifest.exists():
        return {}
    damage = read_json(manifest)["damage"]
    return {kind: count for kind, count in damage.items() if count and kind != "cut_off"}


def _export_media(segments: Sequence[Segment], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for segment in segments:
        media = segment.files / "media"
        if media.is_dir():
            for path in files_below(media):
                place(path, folder / path.relative_to(media))


def _artifacts(segments: Sequence[Segment]) -> list[Artifact]:
    """Each version that was logged, by name; without what W&B logs on its own account.

    An attempt that goes on with a run may log again what an earlier one has logged.
    """
    logged = [artifact for segment in segments for artifact in segment.artifacts]
    found = {(a.name, a.digest): a for a in logged if a.type not in WANDBS_OWN_TYPES}
    return sorted(found.values(), key=lambda artifact: artifact.name)


def _export_artifacts(
    artifacts: Sequence[Artifact], folder: Path, bases: Sequence[Path]
) -> Iterator[str]:
    """Place the files of every logged artifact under `folder`/NAME, their digests checked.

    Of an artifact that was logged several times, the last version is kept. Yields what is wrong
    with a file that can't be had.

    Args:
        artifacts: what the run logged and took in; of these only the former have files here.
        folder: takes the files.
        bases: folders that may have been moved, with what lay in them, since the files were logged.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    last = {artifact.name: artifact for artifact in artifacts if not artifact.is_used}
    for artifact in last.values():
        for name, file in artifact.files.items():
            if file.path is None:
                continue
            target = folder / artifact.name / name
            source = moved_path(file.path, bases)
            where = f"artifact {artifact.name}, file {name}"
            if not target.resolve().is_relative_to(folder.resolve()):
                yield f"{where}: its name leads out of the folder"
            elif not source.is_file():
                yield f"{where}: {source} is missing"
            elif md5_base64(source) != file.digest:
                yield f"{where}: {source} isn't what was logged"
            else:
                place(source, target)


def moved_path(path: Path, bases: Sequence[Path]) -> Path:
    """Where a logged file lies now: in one of `bases`, which may have moved since."""
    parts = path.parts
    for base in bases:
        name = base.absolute().name
        if name in parts:
            inside = parts[len(parts) - parts[::-1].index(name) :]
            moved = base.joinpath(*inside)
            if moved.exists():
                return moved
    return path


def place(source: Path, target: Path) -> None:
    """Link `source` at `target`, or copy it where the file system has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _said_by(
    segments: Sequence[Segment],
    summary: Mapping[str, Any],
    artifacts: Sequence[Artifact],
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """The part of run_summary.json that the logs say; `config` wins over what they hold."""
    logged: dict[str, Any] = {}
    for segment in segments:
        logged |= segment.config
    last = segments[-1] if segments else None
    first_header = segments[0].run if segments else None
    logged.pop("_wandb", None)  # W&B's own notes on the SDK
    return {
        "config": canonical(without_empty(logged | dict(config))),
        "summary": canonical(without_references(summary)),
        "git": {
            "commit": last.git_commit if last else "",
            "remote": last.git_remote if last else "",
        },
        "program": last.program if last else "",
        "artifacts": [_described(artifact) for artifact in artifacts if not artifact.is_used],
        "used_artifacts": [_described(artifact) for artifact in artifacts if artifact.is_used],
        "started_at": (
            datetime.fromtimestamp(first_header.start_time, UTC).isoformat()
            if first_header
            else None
        ),
        "runtime_s": last.runtime_s if last else None,
        "host": first_header.host if first_header else None,
    }


def without_empty(value: Any) -> Any:
    """`value` without empty dictionaries, which W&B doesn't send in a configuration."""
    if not isinstance(value, dict):
        return value
    filled = {key: without_empty(inside) for key, inside in value.items()}
    return {key: inside for key, inside in filled.items() if inside != {}}


def _described(artifact: Artifact) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "type": artifact.type,
        "digest": artifact.digest,
        "aliases": sorted(artifact.aliases),  # wandb writes them in random order
        "metadata": artifact.metadata,
        "files": {name: {"bytes": f.bytes, "md5": f.digest} for name, f in artifact.files.items()},
    }


def _manifest(
    path: Path, rows: int, parts: Sequence[Part], segments: Sequence[Segment]
) -> dict[str, Any]:
    files = [
        path / name for name in ("run_summary.json", "metrics_history.csv", "system_metrics.csv")
    ]
    for name in ("media", "artifacts"):
        files += files_below(path / name)
    described = describe(path, files)
    described["metrics_history.csv"]["rows"] = rows
    return {
        "run": path.name,
        "files": described,
        "segments": [
            {
                "log": os.path.relpath(part.path, path),
                "rule": part.rule,
                "rows": part.rows,
                "dropped": part.dropped,
                "shift": part.shift,
                "first": part.first,
                "last": part.last,
            }
            for part in parts
        ],
        "gaps": gaps(parts),
        "damage": {
            "corrupt_blocks": sum(s.damage.corrupt_blocks for s in segments),
            "unreadable_records": sum(s.damage.unreadable_records for s in segments),
            "lost_records": sum(s.damage.lost_records for s in segments),
            "cut_off": sum(s.damage.is_cut_off for s in segments),
        },
    }
