"""The parts of a report that can't be read: each costs only itself, and is named in its place."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

_Part = TypeVar("_Part")
_Other = TypeVar("_Other")


def _raised(error: Exception, part: str) -> str:
    raise error


@dataclass(frozen=True)
class Parts:
    """Reads parts of a report.

    Attributes:
        describe: returns the line for the error of a part, given its name; by default the error
            is raised.
        entries: the lines on entries that failed before, by item; see `FailedEntry`.
        failed: lines on failed parts by section, filled as parts are read.
        errors: those of these lines that tell of no failed entry.
    """

    describe: Callable[[Exception, str], str] = _raised
    entries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    failed: dict[str, list[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def read(self, section: str, read: Callable[[], _Part], otherwise: _Other) -> _Part | _Other:
        """Return what `read` returns, or `otherwise` if it raises."""
        try:
            return read()
        except Exception as error:
            self.fail(section, error)
            return otherwise

    def fail(self, section: str, error: Exception) -> None:
        """Name an error in a section."""
        self.errors.append(self.describe(error, f"report: {section}"))
        self.failed.setdefault(section, []).append(self.errors[-1])

    def read_each(
        self, section: str, read: Callable[[Path], _Part], paths: Iterable[Path]
    ) -> list[_Part]:
        """Return what `read` returns for each of `paths`, without those for which it raises."""
        found = (self.read(section, partial(read, path), None) for path in paths)
        return [part for part in found if part is not None]

    def made(self, section: str, paths: Iterable[Path]) -> list[Path]:
        """Return the files of entries that haven't failed."""
        kept = []
        for path in paths:
            if lines := self.entries.get(item_of(path)):
                self.failed.setdefault(section, []).extend(lines)
            else:
                kept.append(path)
        return kept


def item_of(path: Path) -> str:
    """Return the item of an entry whose file a report reads; see `FailedEntry`."""
    match path.parts[-6:]:
        case (*_, "projects", _, _, "groups", _, _):
            return "/".join(("projects", *path.parts[-5:-1], path.stem))
    folder = path.parent.name
    match path.parent.parent.name:
        case "groups" | "sweeps" as kind:
            return f"{kind}/{folder}"
    return path.stem if folder == "paper" else f"{folder}/{path.stem}"
