"""Mark the best variant of each column of a table, and those not significantly worse."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from caduceus.runs.goal import Goal
from caduceus.statistics.comparisons import Comparison, compare_by_seed
from caduceus.statistics.corrections import holm
from caduceus.statistics.power import runs_to_decide
from caduceus.statistics.settings import AnyTest

Place = tuple[str, int]  # of a cell: its column's heading and its row
Mark = Literal["best", "tied", "worse", "undecided"]


@dataclass(frozen=True)
class Column:
    """The numbers of a column.

    Attributes:
        goal: which values are better.
        values: the statistic of each variant, by row.
        runs: the values of the runs behind it, by row and seed.
    """

    goal: Goal
    values: Mapping[int, float]
    runs: Mapping[int, Mapping[int, float]]


@dataclass(frozen=True)
class Marks:
    """The marks of a table's cells, and the comparisons that they come from.

    Attributes:
        by_place: "best"; "tied", not significantly different from the best; "worse"; or
            "undecided", where the runs are too few for any difference to be significant.
        comparisons: the best against each other variant, by the place of the latter.
        p: their p values, corrected for `pairs`.
        pairs: the number of pairs of variants in all columns.
        decidable: Holm's factor for the next p, `pairs` minus the pairs that are significant.
        alpha: the probability that any variant is marked worse than an equal one.
    """

    by_place: Mapping[Place, Mark]
    comparisons: Mapping[Place, Comparison]
    p: Mapping[Place, float]
    pairs: int
    decidable: int
    alpha: float

    @property
    def undecided(self) -> list[Place]:
        """The places of the cells marked so, column by column."""
        return [place for place, mark in self.by_place.items() if mark == "undecided"]

    @property
    def runs_that_would_do(self) -> int | None:
        """The fewest runs of each variant that can decide all cells; None if no number can."""
        needed = [
            runs_to_decide(self.decidable, self.alpha, self.comparisons[place].is_paired)
            for place in self.undecided
        ]
        known = [n for n in needed if n is not None]
        return max(known) if known and len(known) == len(needed) else None


def find_best(
    columns: Mapping[str, Column], test: AnyTest = "sign_flip", alpha: float = 0.05
) -> Marks:
    """Compare the best variant of each column with all others in it.

    The same runs choose the best and are then compared with it, so any pair could have been a pair
    with the best. p is therefore corrected (Holm 1979) for all pairs in all columns; pairs without
    the best enter with p = 1. If all variants are equal, the probability that any is marked worse
    is at most alpha.

    Args:
        columns: by heading; a column whose values are all equal has no best.
        test: of pairs by seed, "sign_flip" or "wilcoxon"; or "permutation", which is used for all
            pairs whose seeds differ, too.
        alpha: the family-wise error rate.
    """
    by_place: dict[Place, Mark] = {}
    comparisons: dict[Place, Comparison] = {}
    pairs = 0
    for heading, column in columns.items():
        rows = list(column.values)
        pairs += len(rows) * (len(rows) - 1) // 2
        if len(set(column.values.values())) < 2:
            continue
        best = min(rows, key=lambda row: column.goal.sign * column.values[row])
        for row in rows:
            if column.values[row] == column.values[best]:
                by_place[heading, row] = "best"
            else:
                sides = column.runs[best], column.runs[row]
                comparisons[heading, row] = compare_by_seed(*sides, test=test)
    raw = [comparison.p for comparison in comparisons.values()]
    adjusted = holm([*raw, *[1.0] * (pairs - len(raw))])[: len(raw)]
    p = dict(zip(comparisons, map(float, adjusted), strict=True))
    decidable = pairs - sum(value <= alpha for value in p.values())
    for place, comparison in comparisons.items():
        if p[place] <= alpha:
            by_place[place] = "worse"
        else:
            is_decidable = comparison.minimum_p * decidable <= alpha
            by_place[place] = "tied" if is_decidable else "undecided"
    return Marks(by_place, comparisons, p, pairs, decidable, alpha)
