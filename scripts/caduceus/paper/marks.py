"""Which variants of a table are the best, and which can't be told from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from caduceus.runs.goal import Goal
from caduceus.statistics.comparisons import AnyTest, Comparison, compare_by_seed
from caduceus.statistics.corrections import holm
from caduceus.statistics.power import runs_to_decide

Place = tuple[str, int]  # a cell: its column's heading, its row
Standing = Literal["best", "tied", "worse", "undecided"]


@dataclass(frozen=True)
class Column:
    """What a column compares.

    Attributes:
        goal: which values are better.
        values: the statistic of each variant, by its row.
        runs: the runs it is made of, by row and seed.
    """

    goal: Goal
    values: Mapping[int, float]
    runs: Mapping[int, Mapping[int, float]]


@dataclass(frozen=True)
class Standings:
    """How the variants stand beside the best of their columns.

    Attributes:
        of: by cell, "best"; "tied", which can't be told from it; "worse"; or "undecided", as no
            data of so few runs could tell.
        comparisons: the best against each other one, by that one's cell.
        p: their p, corrected for `pairs`.
        pairs: how many pairs of variants the columns have.
        decidable: what Holm's step-down leaves of `pairs`: p times this is held to alpha.
        alpha: the chance that any variant anywhere is called worse than an equal one.
    """

    of: Mapping[Place, Standing]
    comparisons: Mapping[Place, Comparison]
    p: Mapping[Place, float]
    pairs: int
    decidable: int
    alpha: float

    @property
    def undecided(self) -> list[Place]:
        """The cells that are, by column."""
        return [place for place, standing in self.of.items() if standing == "undecided"]

    @property
    def runs_that_would_do(self) -> int | None:
        """The fewest runs of each variant that could decide all; None if no number could."""
        found = [
            runs_to_decide(self.decidable, self.alpha, self.comparisons[place].is_paired)
            for place in self.undecided
        ]
        known = [n for n in found if n is not None]
        return max(known) if known and len(known) == len(found) else None


def find_best(
    columns: Mapping[str, Column], test: AnyTest = "sign_flip", alpha: float = 0.05
) -> Standings:
    """Compare the best of each column with all others of it.

    The runs choose the best, and any pair could have been one of the best and another: so p is
    corrected (Holm 1979) for all pairs in all columns, of which those without the best count as
    undecided. If variants are equal, none is then called worse with a probability of 1 - alpha.

    Args:
        columns: by heading; one whose values are all the same has no best.
        test: of pairs by seed, "sign_flip" or "wilcoxon"; where seeds differ, or if it is asked
            for, "permutation".
        alpha: the chance of an error anywhere.
    """
    of: dict[Place, Standing] = {}
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
                of[heading, row] = "best"
            else:
                sides = column.runs[best], column.runs[row]
                comparisons[heading, row] = compare_by_seed(*sides, test=test)
    found = [comparison.p for comparison in comparisons.values()]
    adjusted = holm([*found, *[1.0] * (pairs - len(found))])[: len(found)]
    p = dict(zip(comparisons, map(float, adjusted), strict=True))
    decidable = pairs - sum(value <= alpha for value in p.values())
    for place, comparison in comparisons.items():
        if p[place] <= alpha:
            of[place] = "worse"
        else:
            is_decidable = comparison.minimum_p * decidable <= alpha
            of[place] = "tied" if is_decidable else "undecided"
    return Standings(of, comparisons, p, pairs, decidable, alpha)
