"""The comparisons of a table as one family: p values adjusted for all pairs in all columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from caduceus.io.phrases import count_of
from caduceus.statistics.comparisons import Comparison, compared_seeds
from caduceus.statistics.corrections import holm
from caduceus.statistics.joint_flips import flip_jointly
from caduceus.statistics.power import runs_to_decide
from caduceus.statistics.samples import all_equal
from caduceus.statistics.settings import AnyTest, Statistic

Runs = Mapping[int, Mapping[int, float]]  # the values of a column, by row and seed
Pair = tuple[str, int, int]  # a column's heading, and two of its rows


@dataclass(frozen=True)
class FamilyTest:
    """The test of a pair within its family.

    Attributes:
        p: two-sided p, adjusted.
        minimum_p: the smallest adjusted p that so many runs can give, given the other pairs.
        difference: the tested difference of the first row and the second.
        runs_that_would_do: the fewest runs with which the pair could be significant.
    """

    p: float
    minimum_p: float
    difference: float
    runs_that_would_do: int | None


@dataclass(frozen=True)
class Family:
    """All pairs of rows in all columns that are tested together.

    Attributes:
        tests: by pair, the smaller row first; of unpaired runs only the pairs with the best of a
            column.
        paired: the number of pairs whose runs are paired by seed, which are tested jointly.
        unpaired: the number of the others.
        repeated: columns that are one quantity with another, such as an error with an accuracy, and
            that other; they count once.
    """

    tests: Mapping[Pair, FamilyTest]
    paired: int
    unpaired: int
    repeated: Mapping[str, str]

    def of(self, pair: Pair) -> FamilyTest | None:
        """Return the test of two rows in any order; None if they can't be tested."""
        heading, one, other = pair
        if one < other:
            return self.tests.get(pair)
        found = self.tests.get((heading, other, one))
        return found and replace(found, difference=-found.difference)

    @property
    def correction(self) -> str:
        """How p is adjusted, in words."""
        parts = []
        if self.paired:
            parts.append(f"joint sign flips over {count_of(self.paired, 'pair')} (step-down maxT)")
        if self.unpaired:
            parts.append(f"Holm over {count_of(self.unpaired, 'pair')}")
        weighted = ", each weighted by its number" if len(parts) > 1 else ""
        return " and ".join(parts) + weighted


def decide_family(
    columns: Mapping[str, Runs],
    with_best: Mapping[Pair, Comparison],
    deterministic: Mapping[str, frozenset[int]],
    test: AnyTest,
    statistic: Statistic,
    alpha: float,
    folds: int | None = None,
) -> Family:
    """Test all pairs of rows in all columns together.

    Pairs of runs with the same seeds are tested by joint sign flips; the others by Holm's method,
    in which pairs without the best enter with p = 1. If there are both, each part has a share of
    alpha in proportion to its pairs (weighted Bonferroni). Pairs of which a side, or the
    difference, has one value for all seeds aren't tested.

    Args:
        columns: by heading.
        with_best: the comparisons of each column's best with the others.
        deterministic: the rows of each column whose seeds change nothing.
        test: of pairs by seed, or "permutation", which is always unpaired.
        statistic: what is compared if runs are paired and `test` is "sign_flip".
        alpha: the family-wise error rate.
        folds: the k of a cross-validation whose folds the seeds are; signs of folds aren't flipped,
            as folds aren't independent.
    """
    repeated = _repeated(columns)
    paired, unpaired = {}, []
    for heading in (each for each in columns if each not in repeated):
        for pair, sides in _pairs(heading, columns[heading], deterministic[heading], test):
            if sides is None or folds is not None:
                unpaired.append(pair)
            else:
                paired[pair] = sides
    count = len(paired) + len(unpaired)
    tests = {}
    if paired and test != "permutation":
        share = len(paired) / count
        flips = flip_jointly([*paired.values()], test, statistic, alpha * share)
        for at, (pair, (first, second)) in enumerate(paired.items()):
            p, least = flips.p[at] / share, flips.minimum_p[at] / share
            few = len(first.keys() & second.keys()) < (runs_to_decide(1, alpha * share) or 0)
            needed = runs_to_decide(1 if few else len(paired), alpha * share)
            difference = float(flips.difference[at])
            tests[pair] = FamilyTest(min(1.0, float(p)), float(least), difference, needed)
    by_holm = {pair: _with_best(pair, with_best) for pair in unpaired}
    tests |= _by_holm(by_holm, count, alpha, folds is not None)
    for heading, (same, sign) in repeated.items():
        alike = {pair: found for pair, found in tests.items() if pair[0] == same}
        for pair, found in alike.items():
            tests[heading, *pair[1:]] = replace(found, difference=sign * found.difference)
    same_as = {heading: same for heading, (same, _) in repeated.items()}
    return Family(tests, len(paired), len(unpaired), same_as)


def _with_best(pair: Pair, compared: Mapping[Pair, Comparison]) -> tuple[float, Comparison] | None:
    """Return the comparison of a pair, and the sign of its effect for the pair's order."""
    heading, one, other = pair
    for key, sign in ((pair, 1.0), ((heading, other, one), -1.0)):
        if key in compared:
            return sign, compared[key]
    return None


def _by_holm(
    pairs: Mapping[Pair, tuple[float, Comparison] | None],
    count: int,
    alpha: float,
    is_t_test: bool,
) -> Iterator[tuple[Pair, FamilyTest]]:
    """Yield the tests of unpaired runs or of folds, which are a part of `count` pairs."""
    compared = {pair: found for pair, found in pairs.items() if found}
    raw = [found.p for _, found in compared.values()]
    adjusted = holm([*raw, *[1.0] * (len(pairs) - len(raw))])[: len(raw)]
    weight = count / len(pairs) if pairs else 1.0
    p = np.minimum(1, adjusted * weight)
    factor = (len(pairs) - int((p <= alpha).sum())) * weight
    needed = 2 if is_t_test else runs_to_decide(round(factor), alpha, is_paired=False)
    for at, (pair, (sign, found)) in enumerate(compared.items()):
        yield pair, FamilyTest(float(p[at]), found.minimum_p * factor, sign * found.effect, needed)


def _pairs(
    heading: str, runs: Runs, deterministic: frozenset[int], test: AnyTest
) -> Iterator[tuple[Pair, tuple[Mapping[int, float], Mapping[int, float]] | None]]:
    """Yield each pair of rows that can be tested, with both sides if they are paired."""
    for one, other in combinations(sorted(runs.keys() - deterministic), 2):
        seeds = compared_seeds(runs[one], runs[other], test)
        first, second = (
            {s: runs[row][s] for s in own} for row, own in zip((one, other), seeds, strict=True)
        )
        values = np.array([*first.values()]), np.array([*second.values()])
        is_paired = test != "permutation" and seeds[0] == seeds[1]
        if any(map(all_equal, values)) or (is_paired and all_equal(values[0] - values[1])):
            continue
        yield (heading, one, other), (first, second) if is_paired else None


def _repeated(columns: Mapping[str, Runs]) -> dict[str, tuple[str, float]]:
    """Return each column that is a linear function of one before it, that other and the sign."""
    found: dict[str, tuple[str, float]] = {}
    keys = {
        heading: [(row, seed) for row in sorted(runs) for seed in sorted(runs[row])]
        for heading, runs in columns.items()
    }
    values = {
        heading: np.array([columns[heading][row][seed] for row, seed in keys[heading]])
        for heading in columns
    }
    for heading, other in combinations(columns, 2):
        if heading in found or other in found or keys[heading] != keys[other]:
            continue
        one, two = values[heading], values[other]
        if len(one) > 2 and np.ptp(one) > 0 and np.ptp(two) > 0:
            correlation = float(np.corrcoef(one, two)[0, 1])
            if 1 - abs(correlation) < 1e-9:
                found[other] = heading, 1.0 if correlation > 0 else -1.0
    return found
