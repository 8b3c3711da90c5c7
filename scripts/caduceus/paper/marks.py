"""Mark the best variant of each column of a table, and those not significantly worse."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from caduceus.paper.mark_family import Family, Pair, decide_family
from caduceus.runs.goal import Goal
from caduceus.statistics.comparisons import Comparison, compare_by_seed, compared_seeds
from caduceus.statistics.estimates import STATISTICS
from caduceus.statistics.samples import is_close
from caduceus.statistics.settings import AnyTest, Statistic

Place = tuple[str, int]  # of a cell: its column's heading and its row
Mark = Literal["best", "tied", "worse", "undecided", "untested"]


@dataclass(frozen=True)
class Column:
    """The numbers of a column.

    Attributes:
        goal: which values are better.
        values: the statistic of each variant, by row.
        runs: the values of the runs behind it, by row and seed.
        deterministic: the rows of variants whose seeds change nothing.
    """

    goal: Goal
    values: Mapping[int, float]
    runs: Mapping[int, Mapping[int, float]]
    deterministic: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Marks:
    """The marks of a table's cells, and the comparisons that they come from.

    Attributes:
        by_place: "best"; "tied", not significantly different from the best; "worse"; "undecided",
            where the runs are too few for any difference to be significant; or "untested", where
            all seeds gave the same value or difference.
        comparisons: the best against each other variant, by the place of the latter.
        chosen: the best's row by heading; other rows may have the mark "best" as equal to it.
        family: the tests of these and all other pairs of variants in all columns.
        p: those of the comparisons, adjusted for the family; 1 where there is no test.
        alpha: the probability that any variant is marked worse than an equal one.
        shared: the places whose comparisons leave out runs, of seeds that only one side has.
        runs_that_would_do: the fewest runs of each variant that could decide the "undecided" cells;
            None if there are none, or no number could.
    """

    by_place: Mapping[Place, Mark]
    comparisons: Mapping[Place, Comparison]
    chosen: Mapping[str, int]
    family: Family
    p: Mapping[Place, float]
    alpha: float
    shared: tuple[Place, ...]
    runs_that_would_do: int | None

    def places(self, mark: Mark) -> list[Place]:
        """Return the places of the cells with a mark, column by column."""
        return [place for place, own in self.by_place.items() if own == mark]


def find_best(
    columns: Mapping[str, Column],
    test: AnyTest = "sign_flip",
    alpha: float = 0.05,
    statistic: Statistic = "mean",
    folds: int | None = None,
) -> Marks:
    """Compare the best variant of each column with all others in it.

    Where runs are missing, two variants are compared on the runs of the seeds that both have, and
    these choose the best, too: it is the variant that beats the most others in such comparisons.
    A variant is worse only if the tested difference has the sign of that choice.

    The same runs choose the best and are then compared with it, so any pair could have been a pair
    with the best. p is therefore adjusted for all pairs in all columns: jointly, by step-down maxT,
    where runs are paired (see `flip_jointly`), else by Holm's method. The probability that any
    variant is marked worse than an equal one is at most alpha.

    Args:
        columns: by heading; a column whose values are all equal has no best.
        test: of pairs by seed, "sign_flip" or "wilcoxon"; or "permutation", which is used for all
            pairs whose seeds differ, too.
        alpha: the family-wise error rate.
        statistic: the statistic by which the best is chosen.
        folds: the k of a cross-validation whose folds the seeds are. Pairs are then tested by
            corrected t-tests, and adjusted by Holm's method.
    """
    by_place: dict[Place, Mark] = {}
    comparisons: dict[Place, Comparison] = {}
    shared: list[Place] = []
    pairs: dict[Place, Pair] = {}
    for heading, column in columns.items():
        leads = _leads(column, test, statistic)
        if not any(leads.values()):
            continue
        best = _best(column, leads)
        for row in column.values:
            if leads[best, row] == 0:
                by_place[heading, row] = "best"
            else:
                sides = column.runs[best], column.runs[row]
                found = compare_by_seed(*sides, test=test, folds=folds)
                comparisons[heading, row] = found
                pairs[heading, row] = heading, best, row
                if found.is_paired and found.n < max(map(len, sides)):
                    shared.append((heading, row))
    family = decide_family(
        {heading: column.runs for heading, column in columns.items()},
        {pairs[place]: found for place, found in comparisons.items()},
        {heading: column.deterministic for heading, column in columns.items()},
        test,
        statistic,
        alpha,
        folds,
    )
    undecided = []
    for place, pair in pairs.items():
        tested = family.of(pair)
        if tested is None:
            by_place[place] = "untested"
        elif tested.p <= alpha:
            is_worse = columns[place[0]].goal.sign * tested.difference < 0
            by_place[place] = "worse" if is_worse else "tied"
        elif tested.minimum_p <= alpha:
            by_place[place] = "tied"
        else:
            by_place[place] = "undecided"
            undecided.append(tested.runs_that_would_do)
    known = [n for n in undecided if n is not None]
    enough = max(known) if known and len(known) == len(undecided) else None
    p = {place: tested.p if (tested := family.of(pair)) else 1.0 for place, pair in pairs.items()}
    chosen = {heading: best for heading, best, _ in pairs.values()}
    return Marks(by_place, comparisons, chosen, family, p, alpha, tuple(shared), enough)


def _leads(column: Column, test: AnyTest, statistic: Statistic) -> dict[tuple[int, int], float]:
    """Return by how much the first of each two rows is better, on the runs that are compared."""
    leads = {}
    of = STATISTICS[statistic]
    for first, one in column.runs.items():
        for second, other in column.runs.items():
            seeds = compared_seeds(one, other, test)
            value, reference = (
                float(of(np.array([runs[seed] for seed in side])))
                for runs, side in zip((one, other), seeds, strict=True)
            )
            is_tie = is_close(value, reference)
            leads[first, second] = 0.0 if is_tie else column.goal.sign * (reference - value)
    return leads


def _best(column: Column, leads: Mapping[tuple[int, int], float]) -> int:
    """Return the row that beats the most others; of several, the one with the best value."""

    def rank(row: int) -> tuple[int, float]:
        beaten = sum(leads[row, other] > 0 for other in column.values)
        return beaten, -column.goal.sign * column.values[row]

    return max(column.values, key=rank)
