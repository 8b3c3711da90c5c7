"""The groups that a report shows, and their runs by variant."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import ResultError, from_machine_error
from caduceus.io.csv_rows import Row, columns_of, read_rows
from caduceus.io.files import MADE_AGAIN, damaged

_NEEDED = ("run", "name", "experiment", "variant", "seed", "state")


@dataclass(frozen=True)
class Group:
    """A W&B group: its name, its runs as rows of runs.csv, and the folder of its files."""

    name: str
    runs: list[Row]
    folder: Path

    @property
    def history(self) -> Path:
        """The file with the histories of its runs."""
        return self.folder / "history.parquet"


class DamagedHistoryError(ResultError):
    """The file with the histories of a group can't be read.

    Attributes:
        group: the group.
    """

    def __init__(self, group: Group, error: Exception):
        cause = " ".join(str(error).split()) or type(error).__name__
        message = f"can't be read as the rows of its group ({cause}); {MADE_AGAIN}"
        super().__init__(message, str(group.history))
        self.group = group


@contextmanager
def reading_history(group: Group) -> Iterator[None]:
    """Raise DamagedHistoryError where reading a group's history fails."""
    try:
        yield  # pyarrow and numpy raise all of these for damaged files
    except (OSError, ValueError, LookupError, TypeError, NotImplementedError) as error:
        if known := from_machine_error(error):
            raise known from error
        raise DamagedHistoryError(group, error) from error


@dataclass(frozen=True)
class VariantRuns:
    """The runs of a variant, as indices into all runs of the report."""

    group: str
    experiment: str
    name: str
    runs: list[int]


def read_group(table: Path) -> Group:
    """Read the group whose runs.csv is `table`, of experiments or of a whole W&B project.

    Raises:
        ResultError: it isn't the table of a group.
    """
    columns = columns_of(table)
    if missing := [name for name in _NEEDED if name not in columns]:
        raise damaged(table, f"it lacks the columns {', '.join(missing)}", MADE_AGAIN)
    return Group(_name(table.parent), read_rows(table), table.parent)


def _name(folder: Path) -> str:
    """Return a group's name, ENTITY/PROJECT/NAME if it belongs to an exported W&B project."""
    match folder.parts[-5:]:
        case ("projects", entity, project, "groups", name):
            return f"{entity}/{project}/{name}"
    return folder.name


def group_by_variant(groups: Sequence[Group]) -> list[VariantRuns]:
    """Group all runs by variant; a run without an experiment is a variant of its own."""
    grouped: dict[tuple[str, str, str], list[int]] = {}
    for place, (group, run) in enumerate(all_runs(groups)):
        variant = run["variant"] or run["name"] or run["run"]
        grouped.setdefault((group, run["experiment"] or "", str(variant)), []).append(place)
    return [VariantRuns(*key, runs) for key, runs in grouped.items()]


def all_runs(groups: Sequence[Group]) -> Iterator[tuple[str, Row]]:
    """Yield every run with the name of its group."""
    return ((group.name, run) for group in groups for run in group.runs)
