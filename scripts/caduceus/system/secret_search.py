"""Look for the values of secrets in files."""

import html
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import AccountError
from caduceus.io.phrases import count_of
from caduceus.system.file_contents import IncompleteError, streams
from caduceus.system.known_secrets import known_secrets

# The folders of results/ and of `caduceus export` that leave the machine. A run's work/ stays.
PUBLISHED = ("runs", "projects", "groups", "sweeps", "experiments", "paper", "report")
_STAYS = "work"
_MAX_BYTES = 1_000_000_000  # of a file, and again of what is compressed in it
_LARGE_BYTES = 100_000_000  # files from this size on are searched
_MOST_BYTES = 10_000_000_000  # up to this size in all, since it takes seconds for each gigabyte
_UNSEARCHED = "not searched for secrets: "
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


@dataclass(frozen=True)
class Findings:
    """Where secrets were found.

    Attributes:
        files: the files that hold a secret, by the name of the secret.
        unsearched: the files that weren't searched to their end.
    """

    files: Mapping[str, Sequence[str]]
    unsearched: Sequence[str]


def find_secrets(
    results: Path, secrets: Mapping[str, str], folders: Sequence[str] = PUBLISHED
) -> Findings:
    """Look for secrets in files, and in what is compressed in them.

    Args:
        results: the folder results/, or another one with such folders.
        secrets: the values, each with its name.
        folders: the folders below `results` to look in.
    """
    found: dict[str, list[str]] = {}
    unsearched, left = [], _MOST_BYTES
    for path in (path for name in folders if secrets for path in _files(results / name)):
        size = path.stat().st_size
        left -= size if size >= _LARGE_BYTES else 0
        if size >= _LARGE_BYTES and left < 0:
            unsearched.append(str(path))
            continue
        names, is_whole = _names_in(path, secrets)
        for name in names:
            found.setdefault(name, []).append(str(path))
        if not is_whole:
            unsearched.append(str(path))
    return Findings(found, unsearched)


def secret_lines(results: Path, folders: Sequence[str] = PUBLISHED) -> list[str]:
    """Return a line for each secret of this user that is in a file that leaves the machine.

    The last line names the files that weren't searched to their end, if there are any.

    Args:
        results: the folder results/, or another one with such folders.
        folders: the folders below `results` to look in.
    """
    try:
        secrets = known_secrets()
    except AccountError as error:
        return [f"secrets: not looked for in {results}: {error}"]
    findings = find_secrets(results, secrets, folders)
    lines = [
        f"secret: the value of {name} is in {_some(files)}; revoke it before you share them"
        for name, files in findings.files.items()
    ]
    if findings.unsearched:
        why = "too large, damaged or encrypted"
        lines.append(f"{_UNSEARCHED}{_some(findings.unsearched)}: {why}")
    return lines


def is_refused(line: str) -> bool:
    """Whether a line of `secret_lines` is a reason to refuse the files."""
    return not line.startswith(_UNSEARCHED)


def _some(files: Sequence[str]) -> str:
    rest = count_of(len(files) - _SHOWN, "more file")
    return ", ".join(files[:_SHOWN]) + (f" and {rest}" if len(files) > _SHOWN else "")


def _names_in(path: Path, secrets: Mapping[str, str]) -> tuple[list[str], bool]:
    """Return the names of the secrets in a file, and whether all of it was searched."""
    names: set[str] = set()
    is_whole = True
    for stream in streams(path, _MAX_BYTES):
        search = SecretSearch(secrets)
        try:
            for chunk in stream:
                names |= search.names_in(chunk)
        except IncompleteError:
            is_whole = False
    return sorted(names), is_whole


def _files(folder: Path) -> Iterator[Path]:
    """Yield the regular files below a folder, less runs' work; links aren't followed."""
    for base, folders, names in os.walk(folder):
        has_work = Path(base).parent.name in ("runs", "sweeps")
        folders[:] = sorted(name for name in folders if not (has_work and name == _STAYS))
        for path in (Path(base, name) for name in sorted(names)):
            if path.is_file() and not path.is_symlink():
                yield path
