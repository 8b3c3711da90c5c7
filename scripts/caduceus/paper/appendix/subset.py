"""Choose the claims that can be decided again within a time, by what their runs cost."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

_MOST_TRIED = 12  # claims of which every combination is tried


@dataclass(frozen=True)
class Subset:
    """Claims whose runs fit into a time.

    Attributes:
        claims: their names.
        runs: the ids of their runs, each once.
        wall_s: the seconds that these runs took, one after the other.
    """

    claims: tuple[str, ...]
    runs: tuple[str, ...]
    wall_s: float


def choose_subset(
    runs: Mapping[str, Collection[str]], seconds: Mapping[str, float], budget_s: float
) -> Subset:
    """Choose as many claims as fit; of equally many those that cost least.

    Args:
        runs: the ids of the runs of each claim, in the order of the claims.
        seconds: what each run took; a claim with another run can't be trained again.
        budget_s: the seconds that all runs together may take.
    """
    known = [name for name, ids in runs.items() if ids and all(run in seconds for run in ids)]
    if len(known) > _MOST_TRIED:
        return _greedy(known, runs, seconds, budget_s)
    for count in range(len(known), 0, -1):
        made = [_subset(names, runs, seconds) for names in combinations(known, count)]
        fitting = [subset for subset in made if subset.wall_s <= budget_s]
        if fitting:
            return min(fitting, key=lambda subset: subset.wall_s)
    return Subset((), (), 0.0)


def _greedy(
    known: Sequence[str],
    runs: Mapping[str, Collection[str]],
    seconds: Mapping[str, float],
    budget_s: float,
) -> Subset:
    """Take the claim that adds least, again and again."""
    taken = Subset((), (), 0.0)
    while left := [name for name in known if name not in taken.claims]:
        made = [_subset((*taken.claims, name), runs, seconds) for name in left]
        best = min(made, key=lambda subset: subset.wall_s)
        if best.wall_s > budget_s:
            break
        taken = best
    return _subset([name for name in known if name in taken.claims], runs, seconds)


def _subset(
    names: Sequence[str], runs: Mapping[str, Collection[str]], seconds: Mapping[str, float]
) -> Subset:
    ids = tuple(dict.fromkeys(run for name in names for run in runs[name]))
    return Subset(tuple(names), ids, round(sum(seconds[run] for run in ids), 3))
