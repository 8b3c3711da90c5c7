"""Unite what the tables and claims of two results/ have shown, by which late seeds are known."""

from collections.abc import Iterator
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.files import read_json
from caduceus.io.names import is_safe_path, quoted
from caduceus.runs.shown_runs import note_shown

Noted = dict[str, list[list[str]]]  # ids of runs that were shown at once, by table or claim


def unite_shown(there: Path, here: Path, is_dry: bool) -> Iterator[tuple[str, str]]:
    """Note here what was shown there, of runs that aren't taken too: somebody has seen them.

    Args:
        there: the other results/.
        here: results/ here.
        is_dry: whether nothing is written.

    Yields:
        Each file whose content couldn't be noted, and why.
    """
    folder = there / "shown"
    for path in sorted(folder.rglob("*.json")):
        part = path.relative_to(folder).with_suffix("").as_posix()
        name = path.relative_to(there).as_posix()
        if not is_safe_path(part):
            yield quoted(name), "its name can't be that of a file everywhere"
            continue
        try:
            noted = _read(path)
            if not is_dry:
                _note(here, part, noted)
        except ResultError as error:
            yield name, str(error)


def _read(path: Path) -> Noted:
    """Return the content of a file of shown runs.

    Raises:
        ResultError: it is damaged.
    """
    content: object = read_json(path)
    if not isinstance(content, dict):
        raise ResultError("isn't a JSON object; delete it there", str(path))
    for name, sets in content.items():
        if not _are_sets(sets):
            raise ResultError(f"{name!r} isn't a list of lists of runs; delete it there", str(path))
    return content


def _are_sets(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(runs, list) and all(isinstance(run, str) for run in runs) for runs in value
    )


def _note(results: Path, part: str, noted: Noted) -> None:
    for name, sets in noted.items():
        for runs in sets:
            note_shown(results, part, {name: runs})
