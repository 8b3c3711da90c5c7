"""The groups that a report shows, and the variants in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.io.csv_rows import Row, read_rows


@dataclass(frozen=True)
class Group:
    """A W&B group: its name, its runs as rows of runs.csv, and where its files are."""

    name: str
    runs: list[Row]
    folder: Path

    @property
    def history(self) -> Path:
        """Every row of its runs."""
        return self.folder / "history.parquet"


@dataclass(frozen=True)
class Variant:
    """One variant of an experiment: the places of its runs among all that the report shows."""

    group: str
    experiment: str
    name: str
    runs: list[int]


def read_groups(tables: Sequence[Path]) -> list[Group]:
    """The groups whose runs.csv are `tables`: of experiments, or of whole W&B projects."""
    return [Group(_name(path.parent), read_rows(path), path.parent) for path in tables]


def _name(folder: Path) -> str:
    """A group's name; of one from a W&B project, which lies in ENTITY/PROJECT/groups, with that."""
    match folder.parts[-5:]:
        case ("projects", entity, project, "groups", name):
            return f"{entity}/{project}/{name}"
    return folder.name


def find_variants(groups: Sequence[Group]) -> list[Variant]:
    """The variants in the order of the groups' runs; a run of no experiment is one of its own."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for place, (group, run) in enumerate(all_runs(groups)):
        variant = run["variant"] or run["name"] or run["run"]
        found.setdefault((group, run["experiment"] or "", str(variant)), []).append(place)
    return [Variant(*key, runs) for key, runs in found.items()]


def all_runs(groups: Sequence[Group]) -> Iterator[tuple[str, Row]]:
    """Every run, with the name of its group."""
    return ((group.name, run) for group in groups for run in group.runs)
