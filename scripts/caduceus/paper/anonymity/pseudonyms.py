"""Stable pseudonyms: the same name gets the same one, numbered by kind as they are needed."""

import re
from collections.abc import Collection, Container, Iterable
from functools import partial

from caduceus.paper.anonymity.names import Name, anchor, pattern

_HASH = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{7,40}(?![0-9A-Za-z])")
_LEAST = 10  # letters of the beginning of a commit that is replaced
_WHOLE = 40
# A name that is part of another is replaced after it.
_ORDER = ("email", "remote", "folder", "author", "organization", "gpu", "host", "domain")


class Pseudonyms:
    """Replaces names by pseudonyms such as host-1.

    Args:
        names: the names that are replaced in texts.
        commits: the hashes of commits, which are replaced in texts too.
        common: words, in small letters, that are replaced only where they name somebody.
    """

    def __init__(
        self, names: Iterable[Name], commits: Collection[str], common: Container[str]
    ) -> None:
        ordered = sorted(names, key=lambda name: (_rank(name), -len(name.text), name.text))
        self._patterns = [
            (name, anchor(name), re.compile(pattern(name, common), re.IGNORECASE))
            for name in ordered
        ]
        self._commits = frozenset(commits)
        self._beginnings = frozenset(commit[:7] for commit in commits)
        self._given: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def of(self, kind: str, text: str) -> str:
        """Return the pseudonym of a name."""
        key = Name(kind, text, "").key
        if key not in self._given:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._given[key] = f"{kind}-{self._counts[kind]}"
        return self._given[key]

    def in_text(self, text: str) -> str:
        """Return a text with pseudonyms in place of names."""
        small = text.lower()
        for name, letters, compiled in self._patterns:
            if letters not in small:
                continue
            text = compiled.sub(partial(self._instead, name), text)
        if self._commits:
            text = _HASH.sub(self._commit, text)
        return text

    def _instead(self, name: Name, match: "re.Match[str]") -> str:
        group = match.lastindex or 0
        start, end = match.start(group) - match.start(), match.end(group) - match.start()
        return match[0][:start] + self.of(name.kind, name.text) + match[0][end:]

    def _commit(self, match: "re.Match[str]") -> str:
        text = match[0]
        if len(text) < _LEAST or text[:7] not in self._beginnings:
            return text
        whole = next((each for each in sorted(self._commits) if each.startswith(text)), None)
        return self.of("commit", whole) if whole else text


def _rank(name: Name) -> int:
    return _ORDER.index(name.kind) if name.kind in _ORDER else len(_ORDER)
