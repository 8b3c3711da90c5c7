"""The gate for names and paths from outside: from a log, a server or an archive.

Such a name becomes a file or folder only if it is safe. Any other is refused, and a message says
which one it was.
"""

import re

_MOST_BYTES = 255  # of a name, on every common file system
# Windows opens a device by such a name, whatever its extension.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
# A slash, control characters, the separators at which `str.splitlines` splits, lone surrogates.
_UNSAFE = re.compile("[/\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SHOWN = 60  # characters of a name in a message


def is_safe_name(name: str) -> bool:
    """Whether `name` can be that of a file or folder, and of nothing outside its folder."""
    is_folder = name in ("", ".", "..")
    if is_folder or _DEVICE.match(name) or _UNSAFE.search(name):
        return False
    return len(name.encode()) <= _MOST_BYTES


def is_safe_path(path: str) -> bool:
    """Whether `path`, with slashes, leads to a file below the folder that it is relative to."""
    return all(map(is_safe_name, path.split("/")))


def quoted(name: str) -> str:
    """Return a name for a message: in quotes, without control characters, and not too long."""
    return ascii(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
