"""Look for the values of secrets in files."""

import html
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from caduceus.errors import AccountError
from caduceus.io.phrases import count_of
from caduceus.system.known_secrets import known_secrets

_CHUNK = 1 << 20  # bytes
# The folders of results/ and of `caduceus export` that leave the machine. A run's work/ stays.
PUBLISHED = ("runs", "projects", "groups", "sweeps", "experiments", "paper", "report")
_STAYS = "work"
_MAX_BYTES = 100_000_000  # of a file; larger ones are models, and not in an archive by default
_SHOWN = 3  # files of a secret in a message


class SecretSearch:
    """A search for secrets in a file that is read in chunks.

    Args:
        secrets: the values, each with its name.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = {form: name for value, name in secrets.items() for form in _forms(value)}
        self._overlap = max(map(len, self._forms), default=1) - 1  # one may span two chunks
        self._before = b""

    def names_in(self, chunk: bytes) -> set[str]:
        """Return the names of the secrets whose values the next chunk completes."""
        window = self._before + chunk
        self._before = window[max(0, len(window) - self._overlap) :]
        return {name for form, name in self._forms.items() if form in window}


def _forms(value: str) -> set[bytes]:
    """Return a value as text, JSON, CSV and HTML have it; it needn't be UTF-8."""
    texts = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    texts |= {value.replace('"', '""'), html.escape(value), html.escape(value, quote=False)}
    return {text.encode(errors="surrogateescape") for text in texts}


def find_secrets(
    results: Path, secrets: Mapping[str, str], folders: Sequence[str] = PUBLISHED
) -> dict[str, list[str]]:
    """Return the files that hold secrets, by the name of each secret.

    Args:
        results: the folder results/, or another one with such folders.
        secrets: the values, each with its name.
        folders: the folders below `results` to look in.
    """
    found: dict[str, list[str]] = {}
    if secrets:
        for path in (path for name in folders for path in _files(results / name)):
            for name in _names_in(path, secrets):
                found.setdefault(name, []).append(str(path))
    return found


def secret_lines(results: Path, folders: Sequence[str] = PUBLISHED) -> list[str]:
    """Return a line for each secret of this user that is in a file that leaves the machine.

    Args:
        results: the folder results/, or another one with such folders.
        folders: the folders below `results` to look in.
    """
    try:
        secrets = known_secrets()
    except AccountError as error:
        return [f"secrets: not looked for in {results}: {error}"]
    lines = []
    for name, files in find_secrets(results, secrets, folders).items():
        rest = count_of(len(files) - _SHOWN, "more file")
        where = ", ".join(files[:_SHOWN]) + (f" and {rest}" if len(files) > _SHOWN else "")
        lines.append(f"secret: the value of {name} is in {where}; revoke it before you share them")
    return lines


def _names_in(path: Path, secrets: Mapping[str, str]) -> list[str]:
    search = SecretSearch(secrets)
    names: set[str] = set()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            names |= search.names_in(chunk)
    return sorted(names)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the regular files below a folder, less runs' work; links aren't followed."""
    for base, folders, names in os.walk(folder):
        has_work = Path(base).parent.name in ("runs", "sweeps")
        folders[:] = sorted(name for name in folders if not (has_work and name == _STAYS))
        for path in (Path(base, name) for name in sorted(names)):
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= _MAX_BYTES:
                yield path
