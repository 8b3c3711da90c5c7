"""The pictures, sounds, videos and tables in a run's rows, by step."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caduceus.io.csv_rows import text_rows
from caduceus.io.names import is_safe_path
from caduceus.wandb_log import Row

MOST_ITEMS = 5000  # of a metric that are listed
_TYPE = "._type"
_NAME_END = re.compile(r"(?<!\\)\._type$")
_KINDS = {
    "image-file": "image",
    "images": "image",
    "images/separated": "image",
    "video-file": "video",
    "videos": "video",
    "videos/separated": "video",
    "audio-file": "audio",
    "audio": "audio",
    "html-file": "html",
    "html": "html",
    "html/separated": "html",
    "table-file": "table",
}


@dataclass(frozen=True)
class MediaItem:
    """A file that a row refers to; `path` starts with media/, and is below the run's folder."""

    step: int | None
    kind: str
    path: str
    caption: str
    width: int | None = None
    height: int | None = None


@dataclass
class MediaLog:
    """The media of a run, by metric, in the order in which they were logged."""

    items: dict[str, list[MediaItem]] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """About the memory that it takes."""
        return 500 * sum(map(len, self.items.values()))

    def add(self, step: int | None, row: Row) -> None:
        """Take the media in a row of a log, in which each key of a medium is a metric."""
        for metric in media_names(row):
            prefix = f"{metric}."
            about = {
                key.removeprefix(prefix): _value(text)
                for key, text in row.items()
                if key.startswith(prefix)
            }
            self._add(metric, step, about)

    def _add(self, metric: str, step: int | None, about: Mapping[str, Any]) -> None:
        found = self.items.setdefault(metric, [])
        found.extend(list(media_items(step, about))[: max(0, MOST_ITEMS - len(found))])


def media_names(row: Row) -> list[str]:
    """Return the metrics of a log's row that are media."""
    return [
        name.removesuffix(_TYPE) for name in row if name.endswith(_TYPE) and _NAME_END.search(name)
    ]


def exported_media(history: Path) -> MediaLog:
    """Read the media of an exported run from its metrics_history.csv.

    Raises:
        ResultError: the file isn't CSV.
    """
    log = MediaLog()
    for row in text_rows(history):
        step = int(row["_step"]) if row.get("_step", "").isdecimal() else None
        for metric, text in row.items():
            if text.startswith("{") and '"_type"' in text:
                about = _value(text)
                if isinstance(about, Mapping):
                    log._add(metric, step, about)
    return log


def media_items(step: int | None, about: Mapping[str, Any]) -> Iterator[MediaItem]:
    """Yield the files that a logged medium names, as wandb describes it."""
    logged = about.get("_type")
    kind = _KINDS.get(logged if isinstance(logged, str) else "")
    size = [_whole(about.get(name)) for name in ("width", "height")]
    captions = about.get("captions")
    if isinstance(names := about.get("filenames"), Sequence) and not isinstance(names, str):
        for place, path in enumerate(names):
            if _is_media(path):
                has_own = isinstance(captions, Sequence) and len(captions) > place
                caption = captions[place] if has_own and captions else ""
                yield MediaItem(step, kind or "other", path, _text(caption), *size)
    elif _is_media(path := about.get("path")):
        yield MediaItem(step, kind or "other", str(path), _text(about.get("caption")), *size)


def _is_media(path: object) -> bool:
    return isinstance(path, str) and path.startswith("media/") and is_safe_path(path)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
