"""The files of media and logged tables: only what lies below a run's own folder."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from caduceus.errors import CaduceusError
from caduceus.io.files import read_json
from caduceus.io.names import is_safe_path
from caduceus.overview.board.media_items import MediaItem
from caduceus.overview.board.tracked_run import TrackedRun

TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
}
_LARGEST_TABLE = 64_000_000  # bytes
_LONGEST = 500  # characters of a cell


class NoFileError(CaduceusError):
    """The run has no such file."""


def find_media(tracked: TrackedRun, path: str) -> Path | None:
    """Return the file of a medium; None if it isn't there, or leads out of the run's folder.

    Args:
        tracked: the run.
        path: as rows name it, below media/.
    """
    if not path.startswith("media/") or not is_safe_path(path):
        return None
    top = tracked.folder.path.resolve()
    found = [tracked.folder.path / path]
    found += sorted(tracked.folder.work.glob(f"wandb/[0-9]*/wandb/*run-*/files/{_literal(path)}"))
    for file in found:
        whole = file.resolve()
        if whole.is_relative_to(top) and whole.is_file():
            return whole
    return None


def media_row(tracked: TrackedRun, index: int, item: MediaItem) -> dict[str, Any]:
    """Return a medium as the page takes it."""
    is_there = find_media(tracked, item.path) is not None
    is_shown = is_there and Path(item.path).suffix.lower() in TYPES
    return {
        "index": index,
        "step": item.step,
        "x": item.step,
        "kind": item.kind,
        "url": media_address(tracked.run, item.path) if is_shown else None,
        "caption": item.caption,
        "width": item.width,
        "height": item.height,
        "is_there": is_there,
    }


def media_address(run: str, path: str) -> str:
    """Return the address of a medium."""
    return f"/media/{quote(run, safe='')}/{quote(path)}"


def logged_table(tracked: TrackedRun, path: str, start: int, limit: int) -> dict[str, Any]:
    """Return rows of a logged table; a picture in a cell has its address.

    Raises:
        NoFileError: there is no such table, or it is too large.
        ResultError: the file is damaged.
    """
    file = find_media(tracked, path) if path.startswith("media/table/") else None
    if file is None or file.suffix != ".json":
        raise NoFileError("the run has no such table")
    if file.stat().st_size > _LARGEST_TABLE:
        raise NoFileError(f"the table is larger than {_LARGEST_TABLE // 10**6} MB; open its file")
    found = read_json(file)
    columns = found.get("columns") if isinstance(found, dict) else None
    rows = found.get("data") if isinstance(found, dict) else None
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise NoFileError("the file isn't a logged table")
    part = [row for row in rows[start : start + limit] if isinstance(row, list)]
    return {
        "name": path.rpartition("/")[2],
        "columns": [str(column) for column in columns],
        "total": len(rows),
        "from": start,
        "rows": [[_cell(tracked, value) for value in row] for row in part],
    }


def _cell(tracked: TrackedRun, value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and isinstance(path := value.get("path"), str):
        caption = value.get("caption")
        cell = {"text": caption if isinstance(caption, str) else path}
        is_shown = Path(path).suffix.lower() in TYPES and find_media(tracked, path)
        return cell | {"url": media_address(tracked.run, path)} if is_shown else cell
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return {"text": text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"}


def _literal(path: str) -> str:
    """Return a path as a pattern that matches only itself."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path)
