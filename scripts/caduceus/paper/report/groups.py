"""The groups that a report shows, and their runs by variant."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError, from_machine_error
from caduceus.io.cells import parse
from caduceus.io.csv_rows import cell_lists, columns_of
from caduceus.io.files import MADE_AGAIN, damaged

_NEEDED = ("run", "name", "experiment", "variant", "seed", "state")


@dataclass(frozen=True)
class Group:
    """A W&B group.

    Attributes:
        name: its name.
        columns: those of runs.csv, with the value of each run in order.
        folder: the folder of its files.
    """

    name: str
    columns: Mapping[str, list[Any]]
    folder: Path

    @property
    def runs(self) -> list[str]:
        """The ids of its runs."""
        return self.columns["run"]

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
    return Group(_name(table.parent), _read_columns(table), table.parent)


def _read_columns(table: Path) -> dict[str, list[Any]]:
    """Return the columns of a CSV file with parsed cells; equal texts share one object."""
    lines = cell_lists(table)
    columns: dict[str, list[Any]] = {name: [] for name in next(lines, [])}
    value_of = lru_cache(maxsize=100_000)(parse)
    for cells in lines:
        for values, text in zip(columns.values(), cells, strict=True):
            values.append(value_of(text) if text else None)
    return columns


def _name(folder: Path) -> str:
    """Return a group's name, ENTITY/PROJECT/NAME if it belongs to an exported W&B project."""
    match folder.parts[-5:]:
        case ("projects", entity, project, "groups", name):
            return f"{entity}/{project}/{name}"
    return folder.name


def joined_columns(groups: Sequence[Group]) -> dict[str, list[Any]]:
    """Return the columns of all runs, group by group, and `group`; None where a group has none."""
    names = dict.fromkeys(name for group in groups for name in group.columns)
    joined: dict[str, list[Any]] = {name: [] for name in names}
    joined["group"] = [group.name for group in groups for _ in group.runs]
    for group in groups:
        nothing = [None] * len(group.runs)
        for name in names.keys() - {"group"}:
            joined[name] += group.columns.get(name, nothing)
    return joined


def group_by_variant(columns: Mapping[str, Sequence[Any]]) -> list[VariantRuns]:
    """Group all runs by variant; a run without an experiment is a variant of its own.

    Args:
        columns: from `joined_columns`.
    """
    grouped: dict[tuple[str, str, str], list[int]] = {}
    names = ("group", "experiment", "variant", "name", "run")
    about = zip(*(columns[name] for name in names), strict=True) if columns["group"] else ()
    for place, (group, experiment, variant, name, run) in enumerate(about):
        key = (group, experiment or "", str(variant or name or run))
        grouped.setdefault(key, []).append(place)
    return [VariantRuns(*key, runs) for key, runs in grouped.items()]
