"""Compare two sets of runs: the size of the difference, and whether chance explains it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from caduceus.errors import ResultError
from caduceus.statistics.cross_validation import corrected_t_test
from caduceus.statistics.estimates import estimate_mean
from caduceus.statistics.randomization import (
    minimum_sign_flip_p,
    minimum_split_p,
    sign_flips,
    splits,
)
from caduceus.statistics.samples import (
    Array,
    Values,
    all_equal,
    finite,
    midranks,
    standardized,
    without_rounding_errors,
)
from caduceus.statistics.settings import AnyTest, PairedTest
from caduceus.statistics.welch import welch_interval, welch_test

Equal = Literal["first", "second", "differences"]


@dataclass(frozen=True)
class Comparison:
    """The difference between a first and a second set of runs, or a fixed value.

    Attributes:
        n: the number of pairs, or of runs in the first set.
        n_second: the number of runs in the second set: n if paired, 0 for a fixed value or a
            published mean of an unknown number of runs.
        effect: the mean of the first minus that of the second, in the unit of the values.
        low: the lower end of the effect's confidence interval: Student's t for pairs, Welch's t for
            unpaired runs; NaN with a single run, and where `equal` says so.
        high: its upper end.
        std: the standard deviation of the pairs' differences, or, if unpaired, the pooled one of
            the runs; in the unit of the values.
        margin: the effect under the null hypothesis.
        p_greater: one-sided p of an effect above the margin.
        p_less: one-sided p of an effect below the margin.
        p: two-sided p, twice the smaller of these.
        minimum_p: the smallest two-sided p that this number of runs can give.
        effect_size: the effect in standard deviations: Cohen's d_z of pairs, Hedges' g of unpaired
            runs (Lakens 2013); NaN like `low`.
        improvement: the probability that a run of the first has a greater value than one of the
            second; ties count half (Mann & Whitney 1947; Agarwal et al. 2021).
        test: "sign_flip", "wilcoxon" or "permutation"; "welch" with a published mean; of folds
            "corrected_t" or "corrected_welch".
        is_paired: whether runs are paired by seed.
        equal: what has one value for all seeds, of several: the runs of the first or the second, or
            all differences. Nothing then shows how runs vary, so that p is 1.
    """

    n: int
    n_second: int
    effect: float
    low: float
    high: float
    std: float
    margin: float
    p_greater: float
    p_less: float
    p: float
    minimum_p: float
    effect_size: float
    improvement: float
    test: AnyTest | Literal["welch", "corrected_t", "corrected_welch"]
    is_paired: bool
    equal: tuple[Equal, ...] = ()


def compare_paired(
    first: Values,
    second: Values,
    margin: float = 0.0,
    test: PairedTest = "sign_flip",
    confidence: float = 0.95,
    seed: int = 0,
    folds: int | None = None,
) -> Comparison:
    """Compare paired values: `first[i]` with `second[i]`.

    Args:
        first: one value per run, (n,).
        second: the values of the runs with the same seeds, (n,).
        margin: the mean difference under the null hypothesis.
        test: "sign_flip", on the differences (Fisher 1935), or "wilcoxon", on the signed ranks of
            their sizes without differences of zero (Wilcoxon 1945). Both are exact, with ties as
            well, if the distribution of the differences is symmetric.
        confidence: the confidence level of the effect's interval.
        seed: seeds the random signs, which are drawn if there are more than 20 pairs.
        folds: the k of a cross-validation whose folds the values are; the test is then the
            corrected t-test (see `cross_validation`).

    Raises:
        ResultError: the numbers of values differ, or one isn't finite.
    """
    one, other = finite(first), finite(second)
    if len(one) != len(other):
        raise ResultError(f"{len(one)} runs can't be paired with {len(other)}")
    return _compare_pairs(one, other, len(other), margin, test, confidence, seed, folds)


def compare_to_value(
    values: Values,
    value: float,
    margin: float = 0.0,
    test: PairedTest = "sign_flip",
    confidence: float = 0.95,
    seed: int = 0,
    folds: int | None = None,
) -> Comparison:
    """Compare `values`, (n,), with a fixed value, such as a published one.

    Uses the test of `compare_paired`, and takes the same arguments.

    Raises:
        ResultError: there are no values, or one isn't finite.
    """
    return _compare_pairs(finite(values), finite([value]), 0, margin, test, confidence, seed, folds)


def compare_unpaired(
    first: Values,
    second: Values,
    margin: float = 0.0,
    confidence: float = 0.95,
    seed: int = 0,
    folds: int | None = None,
) -> Comparison:
    """Compare independent runs by a permutation test of Welch's t and by Welch's t-test.

    Each p is the larger one of the two tests. The permutation test is exact if the two
    distributions differ by the margin only (Janssen 1997; Chung & Romano 2013), but errs three
    times too often if the smaller side varies more. Welch's t-test (Welch 1947) holds there, but
    alone its p may be smaller than so few runs can show. With a single run on either side the
    variance is unknown, so that p is 1.

    Args:
        first: one value per run, (n,).
        second: one value per run, (m,).
        margin: the difference of the means under the null hypothesis.
        confidence: the confidence level of the effect's interval, by Welch's t.
        seed: seeds the random permutations, which are drawn if there are more than three million.
        folds: the k of cross-validations whose folds the values are, of which no permutation is
            as likely as another; the test is then Welch's with corrected standard errors.

    Raises:
        ResultError: one side has no value, or a value isn't finite.
    """
    one, other = finite(first), finite(second)
    n, m = len(one), len(other)
    effect = float(one.mean() - other.mean())
    equal = _equal_sides(one, other)
    if min(n, m) < 2:
        low = high = std = size = float("nan")
        greater = less = 1.0
    elif equal:
        low = high = size = float("nan")
        std, greater, less = _pooled_std(one, other), 1.0, 1.0
    else:
        low, high = welch_interval(one, other, confidence, folds)
        std = _pooled_std(one, other)
        size = standardized(effect, std) * _hedges_factor(n + m - 2)
        greater, less = welch_test(one - margin, other, folds)
        if folds is None:
            pairs = zip((greater, less), splits(one - margin, other, seed), strict=True)
            greater, less = map(max, pairs)
    return Comparison(
        n=n,
        n_second=m,
        effect=effect,
        low=low,
        high=high,
        std=std,
        margin=margin,
        p_greater=greater,
        p_less=less,
        p=min(1.0, 2 * min(greater, less)),
        minimum_p=minimum_split_p(n, m) if folds is None else _minimum_t_p(min(n, m)),
        effect_size=size,
        improvement=float(improvement(one, other)),
        test="permutation" if folds is None else "corrected_welch",
        is_paired=False,
        equal=equal,
    )


def compare_by_seed(
    first: Mapping[int, float],
    second: Mapping[int, float],
    margin: float = 0.0,
    test: AnyTest = "sign_flip",
    confidence: float = 0.95,
    seed: int = 0,
    folds: int | None = None,
) -> Comparison:
    """Compare runs by their seeds: paired if most seeds occur on both sides, else unpaired.

    Runs are paired if the common seeds are more than half of the side that has fewer; other seeds
    are then left out, so that a method that lost runs stays paired. The test "permutation" is
    always unpaired. The choice depends on the seeds only, never on the values, so that it doesn't
    bias the test.

    Args:
        first: value by seed.
        second: value by seed.
        margin: the effect under the null hypothesis.
        test: the test of the pairs (see `compare_paired`), or "permutation".
        confidence: the confidence level of the effect's interval.
        seed: seeds the random signs or permutations, which are drawn if there are many runs.
        folds: the k of a cross-validation whose folds the seeds are; the tests are then corrected
            t-tests.

    Raises:
        ResultError: one side has no run, or a value isn't finite.
    """
    one, other = compared_seeds(first, second, test)
    values = [first[s] for s in one], [second[s] for s in other]
    if test != "permutation" and one == other:
        return compare_paired(*values, margin, test, confidence, seed, folds)
    return compare_unpaired(*values, margin, confidence, seed, folds)


def compared_seeds(
    first: Mapping[int, float], second: Mapping[int, float], test: AnyTest = "sign_flip"
) -> tuple[list[int], list[int]]:
    """Return the seeds of either side whose runs `compare_by_seed` compares, in order.

    They are the common ones if the runs are paired, else all.
    """
    common = sorted(first.keys() & second.keys())
    if test != "permutation" and 2 * len(common) > min(len(first), len(second)):
        return common, common
    return sorted(first), sorted(second)


def improvement(first: Array, second: Array) -> Any:
    """Return the fraction of all pairs of a first and a second run in which the first is greater.

    Ties count half (Mann & Whitney 1947).

    Args:
        first: (..., n).
        second: (..., m).

    Returns:
        An array (...).
    """
    one, other = first[..., :, None], second[..., None, :]
    return ((one > other) + 0.5 * (one == other)).mean(axis=(-2, -1))


def _compare_pairs(
    one: Array,
    other: Array,
    n_second: int,
    margin: float,
    test: PairedTest,
    confidence: float,
    seed: int,
    folds: int | None,
) -> Comparison:
    """Compare `one`, (n,), with `other`, (n,) or (1,)."""
    scale = float(np.abs((*one, *other, margin)).max())
    # Differences that are equal in exact arithmetic must be equal here, as ties matter to tests.
    differences = without_rounding_errors(one - other, scale)
    mean = estimate_mean(differences, confidence, folds)
    shifted = without_rounding_errors(differences - margin, scale)
    if test == "wilcoxon" and folds is None:
        shifted = shifted[shifted != 0]
        shifted = np.sign(shifted) * midranks(np.abs(shifted))
    equal = _equal_sides(one, other)
    if not equal and all_equal(differences):
        equal = ("differences",)
    if equal:
        greater, less = 1.0, 1.0
    elif folds is None:
        greater, less = sign_flips(shifted, seed)
    else:
        greater, less = corrected_t_test(shifted, folds)
    return Comparison(
        n=mean.n,
        n_second=n_second,
        effect=mean.value,
        low=float("nan") if equal else mean.low,
        high=float("nan") if equal else mean.high,
        std=mean.std,
        margin=margin,
        p_greater=greater,
        p_less=less,
        p=min(1.0, 2 * min(greater, less)),
        minimum_p=minimum_sign_flip_p(mean.n) if folds is None else _minimum_t_p(mean.n),
        effect_size=float("nan") if equal else standardized(mean.value, mean.std),
        improvement=float(improvement(one, other)),
        test=test if folds is None else "corrected_t",
        is_paired=n_second > 0,
        equal=equal,
    )


def _equal_sides(one: Array, other: Array) -> tuple[Equal, ...]:
    """Return which of the two sides have several runs of one value."""
    sides: tuple[tuple[Equal, Array], ...] = (("first", one), ("second", other))
    return tuple(name for name, values in sides if all_equal(values))


def _minimum_t_p(n: int) -> float:
    """Return the smallest p of a t-test of n values, which has no lower bound from two on."""
    return 0.0 if n > 1 else 1.0


def _pooled_std(one: Array, other: Array) -> float:
    """Return the standard deviation of the runs of both sides about the means of their sides."""
    squares = sum(((values - values.mean()) ** 2).sum() for values in (one, other))
    return float((squares / (len(one) + len(other) - 2)) ** 0.5)


def _hedges_factor(degrees: int) -> float:
    """Return the factor that removes the bias of Cohen's d (Hedges 1981)."""
    from scipy.special import gammaln

    half = degrees / 2
    return float(np.exp(gammaln(half) - gammaln(half - 0.5)) / half**0.5)
