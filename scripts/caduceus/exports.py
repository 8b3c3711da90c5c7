"""Exports: a run or a group as plain files, read from W&B's own log."""

import csv
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.files import describe, files_below, md5_base64, read_json, write_json, write_whole
from caduceus.rendering import cell
from caduceus.runs import RunFolder
from caduceus.wandb_log import Artifact, LogError, Segment, read_log

TIME_COLUMNS = ("_runtime", "_timestamp")
# What differs between two runs of the same thing, in run_summary.json and in its `summary`. Whoever
# compares exports byte for byte leaves these, the time columns and system_metrics.csv out.
VOLATILE = ("started_at", "runtime_s", "host", *TIME_COLUMNS, "_wandb")

_RANDOM_PARTS = ("artifact_path", "_latest_artifact_path")
_SYSTEM = "system/"  # the program's own system metrics
_STATS = "system."  # W&B's


def export_run(folder: RunFolder) -> dict[str, Any]:
    """Write the export of a run beside its train.json, and return its manifest.

    Writes run_summary.json, metrics_history.csv, system_metrics.csv, media/, artifacts/ and
    manifest.json. results/README.md says what is in each.

    Raises:
        ResultError: the log can't be read, or a file of an artifact isn't what was logged.
    """
    identity = read_json(folder.path / "run.json")
    train = read_json(folder.path / "train.json")
    segments = read_segments(folder, len(train["attempts"]))
    training = [segment for segment in segments if not _is_upload(segment, folder)]
    rows = [fold_media(row) for segment in training for row in segment.history]
    rows.sort(key=lambda row: int(row.get("_step", "0")))
    write_whole(folder.path / "metrics_history.csv", _history_csv(rows))
    write_whole(folder.path / "system_metrics.csv", _system_csv(rows, training))
    _export_media(training, folder.path / "media")
    # W&B logs each table a second time, as an artifact with a random name; it is in media/ already.
    artifacts = [a for segment in segments for a in segment.artifacts if a.type != "run_table"]
    _export_artifacts(artifacts, folder)
    summary = _run_summary(identity, train, training, artifacts)
    write_json(folder.path / "run_summary.json", summary)
    manifest = _manifest(folder.path, len(rows), segments)
    write_json(folder.path / "manifest.json", manifest)
    return manifest


def read_segments(folder: RunFolder, attempt: int) -> list[Segment]:
    """The segments of the run's last attempt, in the order they began, then those of the upload.

    An attempt that starts afresh replaces the earlier ones.
    """
    logs = [
        path
        for part in (attempt, "upload")
        for path in sorted(folder.wandb(part).glob("wandb/*run-*/run-*.wandb"))
    ]
    try:
        return [read_log(path) for path in logs]
    except LogError as error:
        raise ResultError(f"{error}; delete it if it was never a log") from None


def _is_upload(segment: Segment, folder: RunFolder) -> bool:
    return segment.path.is_relative_to(folder.wandb("upload"))


def fold_media(row: Mapping[str, str]) -> dict[str, str]:
    """`row` with each picture, table or histogram as one JSON value instead of one for each part.

    W&B's references to its own artifacts are left out: they are random.
    """
    media = [name.removesuffix("._type") for name in row if name.endswith("._type")]
    if not media:
        return dict(row)
    folded: dict[str, str] = {}
    parts: dict[str, dict[str, Any]] = {name: {} for name in media}
    for name, value in row.items():
        owner = next((found for found in media if name.startswith(f"{found}.")), None)
        if owner is None:
            folded[name] = value
        elif (part := name.removeprefix(f"{owner}.")) not in _RANDOM_PARTS:
            parts[owner][part] = json.loads(value)
    return folded | {name: json.dumps(value, sort_keys=True) for name, value in parts.items()}


def _history_csv(rows: Sequence[Mapping[str, str]]) -> str:
    """Every row of the program: `_step`, its metrics by name, and the time columns last."""
    special = ("_step", *TIME_COLUMNS)
    names = sorted(
        {name for row in rows for name in row if name not in special and not _is_system(name)}
    )
    return _csv(["_step", *names, *TIME_COLUMNS], rows)


def _system_csv(rows: Sequence[Mapping[str, str]], segments: Sequence[Segment]) -> str:
    """The system metrics of the program's rows and W&B's own samples, in the order of time."""
    found: list[dict[str, str]] = []
    for row in rows:
        values = {name: value for name, value in row.items() if _is_system(name)}
        if values:
            kept = {name: row[name] for name in ("_step", *TIME_COLUMNS) if name in row}
            found.append(kept | values)
    for segment in segments:
        start = segment.run.start_time if segment.run else 0.0
        for sample in segment.stats:
            values = {_STATS + name: value for name, value in sample.values.items()}
            times = {"_timestamp": repr(sample.time), "_runtime": repr(sample.time - start)}
            found.append(times | values)
    found.sort(key=lambda row: float(row.get("_timestamp", "0")))
    special = (*TIME_COLUMNS, "_step")
    names = sorted({name for row in found for name in row if name not in special})
    return _csv(["_timestamp", "_runtime", "_step", *names], found)


def _is_system(name: str) -> bool:
    return name.startswith(_SYSTEM)


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row[name]) if name in row else "" for name in columns])
    return stream.getvalue()


def _export_media(segments: Sequence[Segment], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for segment in segments:
        media = segment.files / "media"
        if media.is_dir():
            for path in files_below(media):
                _place(path, folder / path.relative_to(media))


def _export_artifacts(artifacts: Sequence[Artifact], run: RunFolder) -> None:
    """Place the files of every logged artifact under artifacts/NAME, their digests checked.

    Of an artifact that was logged several times, the last version is kept.
    """
    folder = run.path / "artifacts"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    last = {artifact.name: artifact for artifact in artifacts if not artifact.is_used}
    for artifact in artifacts:
        if artifact.is_used or artifact is not last[artifact.name]:
            continue
        for name, file in artifact.files.items():
            if file.path is None:
                continue
            source = _own(file.path, run)
            where = f"artifact {artifact.name}, file {name}"
            if not source.is_file():
                raise ResultError(
                    f"{source} is missing; delete {run.path} to train the run again",
                    where,
                )
            if md5_base64(source) != file.digest:
                raise ResultError(
                    f"{source} isn't what was logged; delete {run.path} to train the run again",
                    where,
                )
            _place(source, folder / artifact.name / name)


def _own(path: Path, run: RunFolder) -> Path:
    """Where a logged file lies now: inside the run's folder, which may have moved since."""
    parts = path.parts
    if run.path.name in parts:
        inside = parts[len(parts) - parts[::-1].index(run.path.name) :]
        moved = run.path.joinpath(*inside)
        if moved.exists():
            return moved
    return path


def _place(source: Path, target: Path) -> None:
    """Link `source` at `target`, or copy it where the file system has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _run_summary(
    identity: Mapping[str, Any],
    train: Mapping[str, Any],
    segments: Sequence[Segment],
    artifacts: Sequence[Artifact],
) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    config: dict[str, Any] = {}
    for segment in segments:
        config |= segment.config
        summary |= segment.summary
    last = segments[-1] if segments else None
    first_header = segments[0].run if segments else None
    config.pop("_wandb", None)  # W&B's own notes on the SDK
    config |= {key: identity["config"][key] for key in identity["config"]}
    return {
        "run_id": identity["id"],
        "name": identity["name"],
        "experiment": identity["experiment"],
        "variant": identity["variant"],
        "seed": identity["seed"],
        "state": train["state"],
        "exit_code": train["exit_code"],
        "error": train["error"],
        "entity": identity["entity"],
        "project": identity["project"],
        "group": identity["group"],
        "job_type": identity["job_type"],
        "tags": identity["tags"],
        "notes": identity["notes"],
        "config": dict(sorted(config.items())),
        "summary": {name: _without_references(summary[name]) for name in sorted(summary)},
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


def _without_references(value: Any) -> Any:
    """`value`, and if it is media, without W&B's random references to its own artifacts."""
    if isinstance(value, dict):
        return {key: value[key] for key in sorted(value) if key not in _RANDOM_PARTS}
    return value


def _described(artifact: Artifact) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "type": artifact.type,
        "digest": artifact.digest,
        "aliases": list(artifact.aliases),
        "metadata": artifact.metadata,
        "files": {name: {"bytes": f.bytes, "md5": f.digest} for name, f in artifact.files.items()},
    }


def _manifest(path: Path, rows: int, segments: Sequence[Segment]) -> dict[str, Any]:
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
        "damage": {
            "corrupt_blocks": sum(s.damage.corrupt_blocks for s in segments),
            "unreadable_records": sum(s.damage.unreadable_records for s in segments),
            "cut_off": sum(s.damage.is_cut_off for s in segments),
        },
    }
