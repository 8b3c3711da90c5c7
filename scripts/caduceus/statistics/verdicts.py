"""What a family of tests decides, corrected for their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from caduceus.statistics.comparisons import Comparison
from caduceus.statistics.corrections import holm, holm_levels
from caduceus.statistics.equivalence_tests import Equivalence
from caduceus.statistics.power import runs_needed, runs_to_decide
from caduceus.statistics.samples import standardized
from caduceus.statistics.trends import Trend

Outcome = Literal["supported", "refuted", "within noise", "not enough runs"]


@dataclass(frozen=True)
class Test:
    """A claim as `decide` takes it; `greater`, `less` and `within` make one.

    Attributes:
        p_for: one-sided p that speaks for the claim if it is small.
        p_against: one-sided p that speaks against it.
        minimum_p: the smallest two-sided p that the test can give.
        n: the pairs, or the runs of the first.
        n_second: the runs of the second if they aren't paired, else None.
        size: the distance from what the test takes for none, in standard deviations; NaN if
            unknown.
    """

    __test__ = False  # for pytest, which takes any class of this name for one of its own

    p_for: float
    p_against: float
    minimum_p: float
    n: int
    n_second: int | None = None
    size: float = float("nan")


@dataclass(frozen=True)
class Verdict:
    """What became of a test.

    Attributes:
        outcome: "supported" or "refuted" if the corrected p is at most alpha; "not enough runs" if
            no data of so many runs could have made it so, the other tests as they are; otherwise
            "within noise".
        p: two-sided, twice the smaller of the one-sided.
        adjusted_p: p corrected for the family's size (Holm 1979).
        minimum_p: the smallest p that the test can give.
        level: the greatest p that would have decided, the other tests as they are.
        runs_that_would_do: with "not enough runs" the fewest that could decide; with "within
            noise" those that would find the effect seen, if it is real, four times of five; None
            otherwise, or if no number would. They are pairs, or the runs of each side.
    """

    outcome: Outcome
    p: float
    adjusted_p: float
    minimum_p: float
    level: float
    runs_that_would_do: int | None


def decide(tests: Sequence[Test], alpha: float = 0.05) -> list[Verdict]:
    """The verdicts on a family of tests, in their order.

    If there is no difference anywhere, the probability that any verdict says "supported" or
    "refuted" is at most alpha.
    """
    p = [min(1.0, 2 * min(test.p_for, test.p_against)) for test in tests]
    found = zip(tests, p, holm(p), holm_levels(p, alpha), strict=True)
    return [_verdict(test, p, float(a), float(level), alpha) for test, p, a, level in found]


def greater(found: Comparison | Trend) -> Test:
    """The claim that the effect is above the margin, or that the trend rises."""
    return _test(found, found.p_greater, found.p_less)


def less(found: Comparison | Trend) -> Test:
    """The claim that the effect is below the margin, or that the trend falls."""
    return _test(found, found.p_less, found.p_greater)


def within(found: Equivalence) -> Test:
    """The claim that a difference is within the tolerance."""
    plain = found.comparison
    size = standardized(found.tolerance - abs(plain.effect), plain.std)
    p_for, p_against = found.p_within, found.p_beyond
    return Test(p_for, p_against, found.minimum_p, plain.n, _unpaired(plain), size)


def _test(found: Comparison | Trend, p_for: float, p_against: float) -> Test:
    if isinstance(found, Trend):
        size = standardized(found.correlation, found.std)
        return Test(p_for, p_against, found.minimum_p, found.n, None, size)
    size = standardized(found.effect - found.margin, found.std)
    return Test(p_for, p_against, found.minimum_p, found.n, _unpaired(found), size)


def _unpaired(found: Comparison) -> int | None:
    return found.n_second if found.test == "permutation" else None


def _verdict(test: Test, p: float, adjusted_p: float, level: float, alpha: float) -> Verdict:
    outcome: Outcome
    runs, is_paired = None, test.n_second is None
    if adjusted_p <= alpha:
        outcome = "supported" if test.p_for < test.p_against else "refuted"
    elif test.minimum_p > level:
        outcome = "not enough runs"
        runs = runs_to_decide(1, level, is_paired)
    else:
        outcome = "within noise"
        runs = runs_needed(test.size, 1.0, level, is_paired=is_paired)
    return Verdict(outcome, p, adjusted_p, test.minimum_p, level, runs)
