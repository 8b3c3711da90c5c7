"""Seeds that change nothing: runs of one variant whose rows are equal, whatever their seeds.

Such runs are one observation, not several: a program that ignores its seed, or one without chance.
Rows are compared by the digest that the export has made of them, without times, speeds and the like
(`exports.history_columns`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from caduceus.io.phrases import spoken_list
from caduceus.runs.files.export import Summary


@dataclass(frozen=True)
class EqualSeeds:
    """Runs of a variant with equal rows: their ids and their seeds, in one order."""

    experiment: str
    variant: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...]


def equal_seeds(runs: Iterable[Summary]) -> list[EqualSeeds]:
    """Return each set of finished runs of one variant that have equal rows and different seeds.

    Runs without rows, or without an experiment, are in no set.
    """
    alike: dict[tuple[str, str, str], dict[int, str]] = {}
    for run in runs:
        if run.state != "finished" or run.experiment is None or run.variant is None:
            continue
        if run.rows_sha256 is not None and run.seed is not None:
            key = (run.experiment, run.variant, run.rows_sha256)
            alike.setdefault(key, {}).setdefault(run.seed, run.run_id)
    return [
        EqualSeeds(experiment, variant, tuple(by_seed.values()), tuple(by_seed))
        for (experiment, variant, _), by_seed in alike.items()
        if len(by_seed) > 1
    ]


def equal_note(sets: Sequence[EqualSeeds]) -> str:
    """Return the sentence that names sets of equal runs, for the reader of a result."""
    several = len({each.experiment for each in sets}) > 1
    names = []
    for each in sets:
        name = f"{each.variant} of {each.experiment}" if several else each.variant
        names.append(f"{name} (seeds {spoken_list([*map(str, each.seeds)])})")
    return f"Seeds that logged equal rows count as one: {', '.join(names)}."


def repeats(sets: Iterable[EqualSeeds]) -> set[str]:
    """Return the ids of the runs that don't count: all but the first of each set."""
    return {run for each in sets for run in each.runs[1:]}
