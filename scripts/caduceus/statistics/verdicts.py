"""Decide a family of claims, corrected for their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from caduceus.statistics.comparisons import Comparison
from caduceus.statistics.corrections import holm, holm_levels
from caduceus.statistics.equivalence_tests import Equivalence
from caduceus.statistics.items import ItemComparison
from caduceus.statistics.power import runs_needed, runs_to_decide
from caduceus.statistics.samples import standardized
from caduceus.statistics.trends import Trend

Outcome = Literal[
    "supported", "refuted", "within noise", "undecided", "not enough runs", "no verdict"
]

# Tests whose p has no lower bound, and for which no number of runs need be enough.
_T_TESTS = ("welch", "corrected_t", "corrected_welch")


@dataclass(frozen=True)
class Test:
    """The test of a claim; made by `greater`, `less` and `within`, and decided by `decide`.

    Attributes:
        p_for: one-sided p; if it is small, the data support the claim.
        p_against: one-sided p; if it is small, the data refute the claim.
        minimum_p: the smallest p that the test can give.
        n: the number of pairs, of runs on the first side, or of test items or their clusters.
        n_second: the number of runs on the second side if unpaired, else None.
        size: the distance from the null hypothesis in standard deviations; NaN if unknown.
        factor_for: multiplies `p_for`, as `p_against` is doubled; 1 for an equivalence, which two
            one-sided tests must both show.
        says_more: whether the claim says more than that there is an effect: a margin, a tolerance,
            or the direction of every step of a trend.
        fewest: the smallest number of runs that can decide; None if it follows from the number of
            claims, as in tests that rearrange runs.
        is_constant: whether all seeds gave the same value, or difference, so that nothing shows how
            runs vary.
    """

    __test__ = False  # otherwise pytest collects a class of this name

    p_for: float
    p_against: float
    minimum_p: float
    n: int
    n_second: int | None = None
    size: float = float("nan")
    factor_for: int = 2
    says_more: bool = False
    fewest: int | None = None
    is_constant: bool = False


@dataclass(frozen=True)
class Verdict:
    """The result of a test within its family.

    Attributes:
        outcome: "supported" or "refuted" if the adjusted p is at most alpha; "not enough runs" if
            even the smallest possible p would not be significant, given the other tests; "no
            verdict" if all seeds gave the same value; else "within noise", or "undecided" if the
            claim says more than that there is an effect, as an effect that is more than noise may
            leave the claim open.
        p: the smaller of the test's p for and against the claim, each with its factor.
        adjusted_p: p corrected for the number of tests (Holm 1979).
        minimum_p: the smallest p that the test can give.
        level: the largest p that would be significant, given the other tests.
        runs_that_would_do: the number of pairs, or of runs on each side. With "not enough runs":
            the smallest number that can be significant. With "within noise" or "undecided": the
            number with which an effect of the observed size is found with probability 0.8. None
            otherwise, if no number is enough, or if there are as many already.
    """

    outcome: Outcome
    p: float
    adjusted_p: float
    minimum_p: float
    level: float
    runs_that_would_do: int | None


def decide(tests: Sequence[Test], alpha: float = 0.05) -> list[Verdict]:
    """Decide a family of tests; return the verdicts in the order of the tests.

    If there is no difference in any test, the probability that any verdict is "supported" or
    "refuted" is at most alpha (Holm 1979).
    """
    p = [min(1.0, test.factor_for * test.p_for, 2 * test.p_against) for test in tests]
    rows = zip(tests, p, holm(p), holm_levels(p, alpha), strict=True)
    return [_verdict(test, p, float(a), float(level), alpha) for test, p, a, level in rows]


def greater(found: Comparison | Trend | ItemComparison) -> Test:
    """Make the test of the claim that the effect is above the margin, or that the trend rises."""
    against = found.p_not_greater if isinstance(found, Trend) else found.p_less
    return _test(found, found.p_greater, against)


def less(found: Comparison | Trend | ItemComparison) -> Test:
    """Make the test of the claim that the effect is below the margin, or that the trend falls."""
    against = found.p_not_less if isinstance(found, Trend) else found.p_greater
    return _test(found, found.p_less, against)


def within(found: Equivalence) -> Test:
    """Make the test of the claim that a difference is within the tolerance."""
    comparison = found.comparison
    is_summary = comparison.test in _T_TESTS
    size = standardized(found.tolerance - abs(comparison.effect), comparison.std)
    return Test(
        found.p_within,
        found.p_beyond,
        found.minimum_p,
        comparison.n,
        _unpaired_n(comparison),
        # More runs of ours don't make a published mean more certain, nor folds of the same data.
        size=float("nan") if is_summary else size,
        factor_for=1,
        says_more=True,
        fewest=2 if is_summary else None,
        is_constant=bool(comparison.equal),
    )


def _test(found: Comparison | Trend | ItemComparison, p_for: float, p_against: float) -> Test:
    if isinstance(found, Trend):
        says_more = found.kind != "slope"
        return Test(
            p_for,
            p_against,
            found.minimum_p,
            found.n,
            None,
            # A p without a lower bound is that of folds, see `_T_TESTS`.
            float("nan") if found.minimum_p == 0 else found.size,
            says_more=says_more,
            is_constant=found.is_constant,
        )
    if isinstance(found, ItemComparison):
        return Test(
            p_for,
            p_against,
            found.minimum_p,
            found.clusters,
            size=found.effect_size,
            says_more=found.margin != 0,
            fewest=2 if found.test == "crossed" else None,
            is_constant=found.is_constant,
        )
    is_t_test = found.test in _T_TESTS
    size = float("nan") if is_t_test else standardized(found.effect - found.margin, found.std)
    n, n_second = found.n, _unpaired_n(found)
    says_more = found.margin != 0
    return Test(
        p_for,
        p_against,
        found.minimum_p,
        n,
        n_second,
        size,
        says_more=says_more,
        fewest=2 if is_t_test else None,
        is_constant=bool(found.equal),
    )


def _unpaired_n(found: Comparison) -> int | None:
    return found.n_second if found.test in ("permutation", "corrected_welch") else None


def _verdict(test: Test, p: float, adjusted_p: float, level: float, alpha: float) -> Verdict:
    outcome: Outcome
    runs, is_paired = None, test.n_second is None
    # Numbers of runs are those of a two-sided test, and two one-sided ones have half its p.
    is_one_sided = test.factor_for == 1 and test.p_for < 2 * test.p_against
    two_sided = 2 * level if is_one_sided else level
    if test.is_constant:
        outcome = "no verdict"
    elif adjusted_p <= alpha:
        is_for = test.factor_for * test.p_for < 2 * test.p_against
        outcome = "supported" if is_for else "refuted"
    elif test.minimum_p > level:
        outcome = "not enough runs"
        runs = test.fewest or runs_to_decide(1, two_sided, is_paired)
    else:
        outcome = "undecided" if test.says_more else "within noise"
        runs = runs_needed(test.size, 1.0, two_sided, is_paired=is_paired)
        if runs is not None and runs <= min(test.n, test.n_second or test.n):
            runs = None  # this test missed what as many runs would find in four of five cases
    return Verdict(outcome, p, adjusted_p, test.minimum_p, level, runs)
