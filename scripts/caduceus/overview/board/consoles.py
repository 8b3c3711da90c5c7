"""Read the end of what a program printed, and what comes after."""

import re
from typing import Any

from caduceus.errors import ResultError
from caduceus.overview.board.tracked_run import TrackedRun
from caduceus.runs.attempts import console_path

_MOST = 64_000  # bytes of an answer
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n|$)")


def console(tracked: TrackedRun, number: int | None, start: int | None) -> dict[str, Any]:
    """Return a part of what an attempt has printed.

    Args:
        tracked: the run.
        number: the attempt; None for the latest.
        start: the byte from which on; None for the end.

    Raises:
        OSError: the file can't be read.
        ResultError: it is a link that leads out of the run's folder.
    """
    folder = tracked.folder.attempts
    known = sorted(int(path.stem) for path in folder.glob("[0-9]*.log") if path.stem.isdecimal())
    chosen = number if number is not None else known[-1] if known else None
    answer = {"run": tracked.run, "attempt": chosen, "attempts": known}
    if chosen not in known:
        return answer | {"from": 0, "to": 0, "size": 0, "text": "", "is_cut": False}
    path = console_path(folder, chosen)
    if not (path.is_file() and path.resolve().is_relative_to(tracked.folder.path.resolve())):
        raise ResultError("is no file of this run, so it isn't shown", str(path))
    size = path.stat().st_size
    first = max(0, size - _MOST) if start is None or start > size else start
    with path.open("rb") as stream:
        stream.seek(first)
        content = stream.read(_MOST)
    if first + len(content) < size or start is not None:
        content = _whole_characters(content)
    is_cut = start is None and first > 0
    if is_cut:  # begin with a line, and not inside a character
        content_start = content.find(b"\n") + 1
        first, content = first + content_start, content[content_start:]
    text = _plain(content.decode(errors="replace"))
    to = first + len(content)
    return answer | {"from": first, "to": to, "size": size, "text": text, "is_cut": is_cut}


def _whole_characters(content: bytes) -> bytes:
    """Return the bytes without a character of UTF-8 at their end that isn't complete."""
    for back in range(1, min(4, len(content)) + 1):
        byte = content[-back]
        if byte >= 0xC0:
            length = 2 + (byte >= 0xE0) + (byte >= 0xF0)
            return content[:-back] if length > back else content
        if byte < 0x80:
            break
    return content


def _plain(text: str) -> str:
    """Return the text as a terminal leaves it: without colours, lines overwritten by later ones."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n")
    return _CONTROLS.sub("", _OVERWRITTEN.sub("", text)).replace("\r", "")
