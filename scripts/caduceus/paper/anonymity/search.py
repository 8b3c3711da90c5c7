"""Search the files of an archive for names."""

import re
from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass

from caduceus.paper.anonymity.binary_texts import is_by_chance, is_counted
from caduceus.paper.anonymity.formats import ClosedError
from caduceus.paper.anonymity.layers import layers
from caduceus.paper.anonymity.names import (
    Name,
    anchor,
    is_common,
    part_of_person,
    parts_of_person,
    pattern,
    spelling,
)

_DIGITS = re.compile(rb"[0-9a-fA-F]{7,}")
_COMMIT = re.compile(rb"(?i)(?:commit|revision|rev|sha|git|checkout|@|#)[\"':=\s/@(]{0,4}\Z")
_BEFORE = 16  # bytes in which such a word stands before a hash
_WHOLE, _LONG = 40, 10  # letters of a hash, and of a beginning that no other digest has by chance
_WINDOW = 300  # bytes around the rarest letters of a name in which all of it is
_SHORT = 7  # letters of git's shortest abbreviation
_TEXT_HEAD = 8192  # bytes that tell text from other files
_ALSO = 3  # further lines of one name in a file that are listed


@dataclass(frozen=True)
class Place:
    """A name in a file, or a part of a file that can't be looked into.

    Attributes:
        where: the line, or the part of the file; empty for the file as a whole.
        what: the kind of name, the name and who uses it; or why the part can't be read.
    """

    where: str
    what: str


class NameSearch:
    """A search for names in files.

    Args:
        names: what is looked for.
        commits: hashes of commits, which are looked for from 10 letters on; and from 7 on after a
            word such as `commit`.
        common: words, in small letters, that are looked for only where they name somebody.
    """

    def __init__(
        self, names: Sequence[Name], commits: Collection[str], common: Container[str]
    ) -> None:
        self._patterns = [
            _Wanted(
                name,
                anchor(name).encode(),
                _compiled(pattern(name, common)),
                None if is_common(name, common) else _compiled(f"({spelling(name)})"),
            )
            for name in names
        ]
        people = [name for name in names if name.kind == "author"]
        self._parts = {
            part: _compiled(part_of_person(part), 0)
            for name in people
            for part in parts_of_person(name.text)
        }
        self._commits = sorted(commits)
        self._beginnings = {commit[:_SHORT] for commit in commits}

    def places_in(self, data: bytes) -> list[Place]:
        """Return the places of names in the content of a file."""
        found: dict[str, list[str]] = {}
        try:
            for layer in layers(data):
                is_text = b"\0" not in layer.data[:_TEXT_HEAD] and not layer.place
                for what, at in self._in(layer.data):
                    where = layer.place or (_line(layer.data, at) if is_text else "its bytes")
                    lines = found.setdefault(what, [])
                    if where not in lines:
                        lines.append(where)
        except ClosedError as error:
            found[f"can't be looked into: {error}"] = [""]
        return [_place(where, what) for what, where in found.items()]

    def parts_in(self, data: bytes) -> list[Place]:
        """Return the places of given and family names alone, which may be other words, in a text.

        They are looked for with a capital at their beginning, in the text as it is; of other files
        than texts nothing is returned.
        """
        if b"\0" in data[:_TEXT_HEAD]:
            return []
        found = {
            part: [_line(data, at.start()) for at in each.finditer(data)]
            for part, each in self._parts.items()
        }
        return [
            _place([*dict.fromkeys(lines)], repr(part)) for part, lines in found.items() if lines
        ]

    def names_in(self, text: str) -> list[Place]:
        """Return the names in the name of a file."""
        found = dict.fromkeys(what for what, _ in self._in(text.encode(errors="surrogateescape")))
        return [Place("its name", what) for what in found]

    def _in(self, data: bytes) -> Iterator[tuple[str, int]]:
        small = data.lower()
        for wanted in self._patterns:
            for start, end in _windows(small, wanted.letters):
                words = (match.span() for match in wanted.word.finditer(data, start, end))
                places = [span[0] for span in words if not is_by_chance(data, *span)]
                if wanted.letters and wanted.anywhere:
                    for match in wanted.anywhere.finditer(data, start, end):
                        if is_counted(data, *match.span()):
                            places.append(match.start())
                yield from ((wanted.what, at) for at in places)
        if self._commits:
            yield from self._commits_in(data)

    def _commits_in(self, data: bytes) -> Iterator[tuple[str, int]]:
        for match in _DIGITS.finditer(data):
            start, end = match.span()
            text = match[0].lower().decode()
            if text[:_SHORT] not in self._beginnings or end - start > _WHOLE:
                continue
            if data[start - 1 : start].isalnum() or data[end : end + 1].isalnum():
                continue
            is_long = end - start >= _LONG
            is_said = _COMMIT.search(data[max(0, start - _BEFORE) : start])
            if (is_long or is_said) and any(each.startswith(text) for each in self._commits):
                yield f"commit {text[:12]} (git)", start


@dataclass(frozen=True)
class _Wanted:
    """A name, letters that each text with it has, and patterns of it as a word and anywhere."""

    name: Name
    letters: bytes
    word: "re.Pattern[bytes]"
    anywhere: "re.Pattern[bytes] | None"

    @property
    def what(self) -> str:
        return f"{self.name.kind} {self.name.text!r} ({self.name.source})"


def _windows(small: bytes, letters: bytes) -> Iterator[tuple[int, int]]:
    """Yield the parts of a file that may have a name, from the letters that each of them has."""
    if not letters:
        yield 0, len(small)
        return
    at, start, end = small.find(letters), 0, 0
    while at >= 0:
        if at - _WINDOW > end:
            if end:
                yield start, end
            start = max(0, at - _WINDOW)
        end = at + len(letters) + _WINDOW
        at = small.find(letters, at + 1)
    if end:
        yield start, end


def _line(data: bytes, at: int) -> str:
    before = data.count(b"\n", 0, at)
    return f"line {before + 1}"


def _place(where: list[str], what: str) -> Place:
    more = len(where) - 1 - _ALSO
    listed = ", ".join(where[: 1 + _ALSO]) + (f" and {more} more" if more > 0 else "")
    return Place(listed, what)


def _compiled(text: str, flags: int = re.IGNORECASE) -> "re.Pattern[bytes]":
    """Return a pattern for bytes, in which letters beyond ASCII are UTF-8 or Latin-1."""
    parts = []
    for each in re.split(r"([^\x00-\x7f])", text):
        forms = [each.encode()]
        if len(each) == 1 and 0x7F < ord(each) < 0x100:
            forms.append(each.encode("latin-1"))
        parts.append(b"(?:" + b"|".join(forms) + b")" if len(forms) > 1 else forms[0])
    return re.compile(b"".join(parts), flags)
