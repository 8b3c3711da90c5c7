"""Everything about one run."""

from collections.abc import Iterator
from typing import Any

from caduceus.errors import ResultError
from caduceus.io.files import Json
from caduceus.overview.board.media_items import MediaLog, exported_media
from caduceus.overview.board.tracked_run import TrackedRun
from caduceus.runs.attempts import console_path
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.export import ExportedArtifact, Manifest
from caduceus.runs.folder import RunFolder
from caduceus.runs.hidden_settings import shown
from caduceus.runs.record import RunRecord

Row = dict[str, Any]


def run_details(tracked: TrackedRun, media: MediaLog) -> Row:
    """Return what the files of a run say; a damaged file is a line in `damage`."""
    record = RunRecord(tracked.folder)
    found: Row = {
        "config": {},
        "summary": {},
        "description": "",
        "tags": [],
        "url": None,
        "program": None,
        "command": None,
        "dataset": None,
        "commit": None,
        "is_dirty": None,
        "attempts": [],
        "artifacts": [],
        "damage": list(record.damage) if tracked.folder.path.is_dir() else [],
        "folder": tracked.folder.path.as_posix(),
        "media": [
            {"metric": name, "kind": items[0].kind, "count": len(items)}
            for name, items in media.items.items()
            if items and items[0].kind != "table"
        ],
        "tables": [
            {"name": name, "path": items[-1].path}
            for name, items in media.items.items()
            if items and items[-1].kind == "table"
        ],
    }
    for part in (_identity, _params, _exported, _attempts, _lost):
        try:
            found |= part(record, found)
        except (ResultError, OSError) as error:
            found["damage"] = list(dict.fromkeys([*found["damage"], str(error)]))
    return found


def run_media(tracked: TrackedRun) -> MediaLog:
    """Return the media of a run.

    Raises:
        ResultError: its export is damaged.
    """
    if tracked.history is not None:
        if not tracked.history.has_columns:
            tracked.history.restore_columns()
            tracked.grow(float("inf"))
        return tracked.history.media
    path = tracked.folder.path / "metrics_history.csv"
    return exported_media(path) if tracked.is_exported and path.exists() else MediaLog()


def _identity(record: RunRecord, _: Row) -> Row:
    if not record.folder.run_json.exists():
        return {}
    about = record.identity
    return {
        "config": _hidden(about.config),
        "description": about.notes,
        "tags": about.tags,
        "url": about.url,
    }


def _params(record: RunRecord, _: Row) -> Row:
    if not record.folder.params_json.exists():
        return {}
    params = record.params
    command = " ".join(str(word) for word in params.command)
    return {"program": params.program, "command": command, "dataset": params.dataset}


def _exported(record: RunRecord, _: Row) -> Row:
    if record.exported is None:
        return {}
    about = record.exported
    return {
        "config": _hidden(about.config),
        "summary": _hidden(about.summary),
        "description": about.notes,
        "tags": about.tags,
        "program": record.params.program if record.folder.params_json.exists() else about.program,
        "artifacts": [*map(_artifact, about.artifacts)],
    }


def _attempts(record: RunRecord, _: Row) -> Row:
    attempts = record.attempts
    last = attempts[-1] if attempts else None
    return {
        "attempts": [_attempt(record.folder, each) for each in attempts],
        "commit": last and last.commit,
        "is_dirty": last and last.is_dirty,
    }


def _lost(record: RunRecord, known: Row) -> Row:
    manifest: Manifest | None = record.manifest
    return {} if manifest is None else {"damage": [*known["damage"], *_losses(manifest)]}


def _losses(manifest: Manifest) -> Iterator[str]:
    for kind, count in manifest.lost.items():
        yield f"of its logs is lost: {count} {kind.replace('_', ' ')}"
    for name in manifest.left_out or ():
        yield f"left out of its export: {name}"


def _attempt(folder: RunFolder, attempt: Attempt) -> Row:
    names = (
        *("attempt", "state", "error", "host", "wall_s", "cpu_s", "peak_memory_gb"),
        *("resumed_from", "resumed_by", "exit_code", "signal"),
    )
    is_known = attempt.started_at is not None
    return {name: getattr(attempt, name) for name in names} | {
        "started_at": attempt.start_s if is_known else None,
        "gpus": [
            name if attempt.gpu_share is None else f"{attempt.gpu_share:g} of {name}"
            for name in attempt.gpu_names
        ],
        "has_console": console_path(folder.attempts, attempt.number).is_file(),
    }


def _artifact(artifact: ExportedArtifact) -> Row:
    size = sum(file.bytes for file in artifact.files.values())
    return {
        "name": artifact.name,
        "type": artifact.type,
        "files": len(artifact.files),
        "bytes": size,
    }


def _hidden(value: Json, name: str = "") -> Any:
    """Return nested settings without the values of those that are named like secrets."""
    if isinstance(value, dict):
        return {key: _hidden(item, key) for key, item in value.items()}
    return shown(name, value)
