"""Mark the best variant of each column of a table, and those not significantly worse."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from caduceus.runs.goal import Goal
from caduceus.statistics.comparisons import Comparison, compare_by_seed, compared_seeds
from caduceus.statistics.corrections import holm
from caduceus.statistics.estimates import STATISTICS
from caduceus.statistics.power import runs_to_decide
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
        p: their p values, corrected for `pairs`.
        pairs: the number of pairs of variants in all columns.
        decidable: Holm's factor for the next p, `pairs` minus the pairs that are significant.
        alpha: the probability that any variant is marked worse than an equal one.
        shared: the places whose comparisons leave out runs, of seeds that only one side has.
    """

    by_place: Mapping[Place, Mark]
    comparisons: Mapping[Place, Comparison]
    p: Mapping[Place, float]
    pairs: int
    decidable: int
    alpha: float
    shared: tuple[Place, ...]

    def places(self, mark: Mark) -> list[Place]:
        """Return the places of the cells with a mark, column by column."""
        return [place for place, own in self.by_place.items() if own == mark]

    @property
    def runs_that_would_do(self) -> int | None:
        """The fewest runs of each variant that can decide all cells; None if no number can."""
        needed = [
            runs_to_decide(self.decidable, self.alpha, self.comparisons[place].is_paired)
            for place in self.places("undecided")
        ]
        known = [n for n in needed if n is not None]
        return max(known) if known and len(known) == len(needed) else None


def find_best(
    columns: Mapping[str, Column],
    test: AnyTest = "sign_flip",
    alpha: float = 0.05,
    statistic: Statistic = "mean",
) -> Marks:
    """Compare the best variant of each column with all others in it.

    Where runs are missing, two variants are compared on the runs of the seeds that both have, and
    these choose the best, too: it is the variant that beats the most others in such comparisons.
    A variant is worse only if the tested difference has the sign of that choice.

    The same runs choose the best and are then compared with it, so any pair could have been a pair
    with the best. p is therefore corrected (Holm 1979) for all pairs in all columns; pairs without
    the best enter with p = 1. If all variants are equal, the probability that any is marked worse
    is at most alpha.

    Args:
        columns: by heading; a column whose values are all equal has no best.
        test: of pairs by seed, "sign_flip" or "wilcoxon"; or "permutation", which is used for all
            pairs whose seeds differ, too.
        alpha: the family-wise error rate.
        statistic: the statistic by which the best is chosen.
    """
    by_place: dict[Place, Mark] = {}
    comparisons: dict[Place, Comparison] = {}
    shared: list[Place] = []
    best: dict[str, int] = {}
    pairs = 0
    for heading, column in columns.items():
        rows = list(column.values)
        pairs += len(rows) * (len(rows) - 1) // 2
        leads = _leads(column, test, statistic)
        if not any(leads.values()):
            continue
        best[heading] = chosen = _best(column, leads)
        for row in rows:
            if leads[chosen, row] == 0:
                by_place[heading, row] = "best"
            else:
                sides = column.runs[chosen], column.runs[row]
                found = compare_by_seed(*sides, test=test)
                comparisons[heading, row] = found
                if found.is_paired and found.n < max(map(len, sides)):
                    shared.append((heading, row))
    raw = [comparison.p for comparison in comparisons.values()]
    adjusted = holm([*raw, *[1.0] * (pairs - len(raw))])[: len(raw)]
    p = dict(zip(comparisons, map(float, adjusted), strict=True))
    decidable = pairs - sum(value <= alpha for value in p.values())
    for place, comparison in comparisons.items():
        column = columns[place[0]]
        if comparison.equal or column.deterministic & {place[1], best[place[0]]}:
            by_place[place] = "untested"
        elif p[place] <= alpha:
            is_worse = column.goal.sign * comparison.effect < 0
            by_place[place] = "worse" if is_worse else "tied"
        else:
            is_decidable = comparison.minimum_p * decidable <= alpha
            by_place[place] = "tied" if is_decidable else "undecided"
    return Marks(by_place, comparisons, p, pairs, decidable, alpha, tuple(shared))


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
