"""Which runs the tables and claims of the paper have ever shown together: results/shown/."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.files import read_if_there, read_json, write_json

_LOST = "delete it; seeds added after what it notes are then no longer known"


def note_shown(results: Path, part: str, shown: Mapping[str, Iterable[str]]) -> None:
    """Note the runs that tables or claims show, beside those that they showed before.

    Edits change the ids of runs, and an undo gives them back their old ones, so that the files of
    the paper, which show the present runs alone, don't tell what was shown before.

    Args:
        results: the folder results/.
        part: what names the file, such as tables/NAME.
        shown: the ids of the runs, by the name of the table or claim.

    Raises:
        ResultError: the file is damaged.
    """
    path = results / "shown" / f"{part}.json"
    known = read_if_there(path, _LOST)
    noted = {name: _with(known.get(name, []), set(runs)) for name, runs in shown.items()}
    if known | noted != known:
        write_json(path, known | noted)


def _with(known: list[list[str]], runs: set[str]) -> list[list[str]]:
    """Return sets of runs with another one, without those that are part of others."""
    if not runs or any(runs <= set(each) for each in known):
        return known
    return [*(each for each in known if not set(each) <= runs), sorted(runs)]


def shown_runs(results: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield each table or claim with the ids of runs that it showed at once."""
    for path in sorted((results / "shown").rglob("*.json")):
        try:
            noted = read_json(path)
            yield from ((name, set(runs)) for name, sets in noted.items() for runs in sets)
        except (ResultError, AttributeError, TypeError):
            continue  # the command that writes a damaged file says so
