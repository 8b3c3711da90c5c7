"""Comparisons of runs, trends and equivalence against published answers and against scipy."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from caduceus.errors import ResultError, SpecError
from caduceus.statistics import (
    compare_by_seed,
    compare_paired,
    compare_to_value,
    compare_unpaired,
    decide,
    equivalence,
    equivalence_by_seed,
    greater,
    minimum_p,
    trend,
    within,
)
from caduceus.statistics.randomization import minimum_sign_flip_p
from caduceus.statistics.settings import AnyTest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

# Darwin 1876, as in Fisher 1935, §21: 15 pairs of maize, crossed less selfed, in inches / 8.
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
# Hollander & Wolfe 1973, p. 29: Hamilton's depression scale at two visits of nine patients.
FIRST = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
SECOND = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
# Student 1908: hours of sleep gained by two drugs.
DRUGS = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)

steps = st.integers(-20, 20)
few = st.lists(steps, min_size=1, max_size=8)
varied = st.lists(steps, min_size=2, max_size=5).filter(lambda found: len(set(found)) > 1)


def test_fishers_sign_flip_test_of_darwins_maize() -> None:
    found = compare_to_value(MAIZE, 0.0)
    assert found.p_greater == 863 / 32768
    assert found.p == 1726 / 32768
    assert found.minimum_p == 2 / 32768
    assert (found.effect, found.n, found.n_second, found.is_paired) == (314 / 15, 15, 0, False)


def test_wilcoxons_test_of_hollander_and_wolfe() -> None:
    found = compare_paired(FIRST, SECOND, test="wilcoxon")
    assert found.p_greater == pytest.approx(0.01953125)
    assert found.p == pytest.approx(0.0390625)
    assert found.is_paired


@settings(max_examples=15, deadline=None)
@given(few.filter(lambda found: np.count_nonzero(found) > 1 and len(set(found)) > 1))
def test_wilcoxons_test_is_exact_with_ties_and_zeros(differences: list[int]) -> None:
    every = stats.PermutationMethod(n_resamples=10_000)
    for side in ("greater", "less"):
        wanted = stats.wilcoxon(differences, method=every, alternative=side).pvalue
        found = compare_to_value(differences, 0.0, test="wilcoxon")
        assert getattr(found, f"p_{side}") == pytest.approx(wanted)


def test_the_intervals_of_students_sleep_are_as_published() -> None:
    paired, welch = compare_paired(*DRUGS), compare_unpaired(*DRUGS)
    assert (paired.low, paired.high) == pytest.approx((-2.4598858, -0.7001142))
    assert (welch.low, welch.high) == pytest.approx((-3.3654832, 0.2054832))
    assert paired.effect_size == pytest.approx(-1.58 / 1.229995)
    assert welch.effect_size == pytest.approx(-0.8321811 * 0.9576, abs=1e-4)  # d times J of 18
    assert welch.improvement == paired.improvement == pytest.approx(0.255)


@given(varied, varied)
@settings(max_examples=15, deadline=None)
def test_the_unpaired_test_is_the_weaker_of_scipys_permutation_and_welchs_t_test(
    one: list[int], two: list[int]
) -> None:
    def welch(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
        variance = x.var(axis, ddof=1) / x.shape[axis] + y.var(axis, ddof=1) / y.shape[axis]
        difference = x.mean(axis) - y.mean(axis)
        return difference / np.sqrt(np.maximum(variance, 1e-20))

    found = compare_unpaired(one, two)
    for side in ("greater", "less"):
        wanted = stats.permutation_test(
            (one, two), welch, n_resamples=1000, alternative=side, axis=0
        ).pvalue
        welchs = stats.ttest_ind(one, two, equal_var=False, alternative=side).pvalue
        assert getattr(found, f"p_{side}") == pytest.approx(max(wanted, welchs))


@pytest.mark.parametrize(("n", "m", "std"), [(3, 8, 3.0), (8, 3, 3.0), (3, 8, 1.0), (4, 4, 3.0)])
def test_unpaired_runs_of_unequal_number_and_variance_seldom_differ(
    n: int, m: int, std: float
) -> None:
    """The permutation test alone errs in 15 % of three runs that vary much against eight."""
    generator = np.random.default_rng(n)
    found = [
        compare_unpaired(generator.normal(0, std, n), generator.normal(size=m)).p <= 0.05
        for _ in range(400)
    ]
    assert np.sum(found) <= stats.binom.ppf(0.999, len(found), 0.06)


@settings(max_examples=20, deadline=None)
@given(few)
def test_without_a_difference_every_p_is_as_rare_as_it_says(sizes: list[int]) -> None:
    """Over all signs that chance could have given, for the sign-flip and Wilcoxon's test."""
    sizes = sizes[:5]
    for test in ("sign_flip", "wilcoxon"):
        found = [
            compare_to_value(np.multiply(sizes, signs), 0.0, test=test).p
            for signs in product((-1, 1), repeat=len(sizes))
        ]
        for p in set(found):
            assert np.mean(np.array(found) <= p) <= p + 1e-12
            assert p >= minimum_p(len(sizes))


@given(st.lists(steps, min_size=4, max_size=7), st.integers(2, 3))
@settings(max_examples=15, deadline=None)
def test_without_a_difference_every_unpaired_p_is_as_rare_as_it_says(
    values: list[int], n: int
) -> None:
    n = min(n, len(values) - 2)
    found = []
    for chosen in combinations(range(len(values)), n):
        first = [values[i] for i in chosen]
        found.append(compare_unpaired(first, np.delete(values, chosen)).p)
    for p in set(found):
        assert np.mean(np.array(found) <= p) <= p + 1e-12
        assert p >= minimum_p(n, len(values) - n)


@settings(deadline=None)
@given(few, st.data(), st.sampled_from(["sign_flip", "wilcoxon", "permutation"]))
def test_exchanging_the_sides_exchanges_the_answer(
    one: list[int], data: st.DataObject, test
) -> None:
    two = data.draw(st.lists(steps, min_size=len(one), max_size=len(one)))
    first, second = dict(enumerate(one)), dict(enumerate(two))
    found = compare_by_seed(first, second, margin=2, test=test)
    other = compare_by_seed(second, first, margin=-2, test=test)
    assert (found.p_greater, found.p_less) == pytest.approx((other.p_less, other.p_greater))
    assert found.effect == -other.effect
    assert (found.low, found.high) == pytest.approx((-other.high, -other.low), nan_ok=True)
    assert found.effect_size == pytest.approx(-other.effect_size, nan_ok=True)
    assert found.improvement == pytest.approx(1 - other.improvement)


@settings(deadline=None)
@given(few, st.data(), st.sampled_from(["sign_flip", "wilcoxon", "permutation"]))
def test_the_margin_is_what_counts_as_no_effect(one: list[int], data: st.DataObject, test) -> None:
    two = data.draw(st.lists(steps, min_size=len(one), max_size=len(one)))
    second = dict(enumerate(two))
    plain = compare_by_seed(dict(enumerate(one)), second, test=test)
    shifted = {seed: value + 5 for seed, value in enumerate(one)}
    found = compare_by_seed(shifted, second, margin=5, test=test)
    assert (found.p_greater, found.p_less) == (plain.p_greater, plain.p_less)


def test_what_rounding_leaves_is_no_difference() -> None:
    """0.93 - 0.91 isn't 0.02 in binary."""
    first, second = [0.93, 0.72, 0.41], [0.91, 0.70, 0.39]
    found = compare_paired(first, second, margin=0.02)
    assert (found.p, found.effect, found.std) == (1.0, 0.02, 0.0)
    assert compare_unpaired([0.93, 0.93], [0.91, 0.91], margin=0.02).p == 1.0


def test_what_cant_be_tested_has_a_p_of_one() -> None:
    for found in (
        compare_paired([1.0], [0.0]),
        compare_unpaired([1.0], [0.0, 0.1, 0.2]),
        compare_paired([1.0, 2.0], [1.0, 2.0], test="wilcoxon"),
        compare_unpaired([1.0, 1.0], [1.0, 1.0]),
    ):
        assert found.p == 1.0
    single = compare_unpaired([1.0], [0.0, 0.1, 0.2])
    assert single.minimum_p == 1.0
    assert all(math.isnan(x) for x in (single.low, single.high, single.effect_size))
    assert single.improvement == 1.0


@pytest.mark.parametrize("test", ["sign_flip", "wilcoxon", "permutation"])
@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ([0.1] * 8, [0.3] * 8, ("first", "second")),
        ([0.1] * 8, np.arange(8.0), ("first",)),
        (np.arange(8.0), [0.1] * 8, ("second",)),
        (np.arange(8) + 0.1, np.arange(8.0), ("differences",)),
    ],
)
def test_equal_values_are_no_evidence(test: AnyTest, first, second, equal: tuple[str]) -> None:
    found = compare_by_seed(dict(enumerate(first)), dict(enumerate(second)), test=test)
    assert found.effect == pytest.approx(np.mean(first) - np.mean(second))
    if test == "permutation" and equal == ("differences",):
        assert not found.equal and found.p < 1
        return
    assert found.equal == equal
    assert (found.p, found.p_greater, found.p_less) == (1.0, 1.0, 1.0)
    assert all(math.isnan(x) for x in (found.low, found.high, found.effect_size))
    [verdict] = decide([greater(found)])
    assert (verdict.outcome, verdict.runs_that_would_do) == ("no verdict", None)


def test_equal_values_dont_reach_or_reproduce_a_value() -> None:
    for found in (
        greater(compare_to_value([0.9] * 8, 0.5)),
        within(equivalence([0.9] * 8, 1, 0.5)),
    ):
        assert decide([found])[0].outcome == "no verdict"
    rows = np.tile([1.0, 2.0, 3.0], (8, 1))
    assert decide([greater(trend(rows, [1, 2, 3]))])[0].outcome == "no verdict"
    rows[0, 0] = 1.5
    assert decide([greater(trend(rows, [1, 2, 3]))])[0].outcome == "supported"


def test_runs_are_paired_by_their_seeds_if_most_have_a_partner() -> None:
    first = {0: 3.0, 1: 5.0, 2: 4.0, 3: 6.0}
    found = compare_by_seed(first, {3: 5.5, 2: 3.0, 1: 5.0})
    assert (found.is_paired, found.n) == (True, 3)
    assert found == compare_paired([5.0, 4.0, 6.0], [5.0, 3.0, 5.5])
    found = compare_by_seed({seed: seed**2 for seed in range(10)}, {1: 0.5, 2: 3.0, 7: 47.0})
    assert (found.is_paired, found.n) == (True, 3)
    found = compare_by_seed(first, {3: 5.5, 2: 3.0, 7: 5.0, 8: 4.5})
    assert (found.is_paired, found.n, found.n_second) == (False, 4, 4)
    assert found == compare_unpaired([3.0, 5.0, 4.0, 6.0], [3.0, 5.5, 5.0, 4.5])
    assert not compare_by_seed(first, first, test="permutation").is_paired


def test_more_runs_than_can_be_gone_through_are_sampled() -> None:
    """Against the normal limit of the tests: both must agree to the error of sampling."""
    generator = np.random.default_rng(1)
    first, second = generator.normal(0.5, 1, 25), generator.normal(0, 1, 25)
    paired, unpaired = compare_paired(first, second), compare_unpaired(first, second)
    assert paired.p == pytest.approx(stats.ttest_rel(first, second).pvalue, abs=0.01)
    wanted = stats.ttest_ind(first, second, equal_var=False).pvalue
    assert unpaired.p == pytest.approx(wanted, abs=0.01)
    assert paired.minimum_p == unpaired.minimum_p == 2 / 100_000
    assert compare_to_value(np.arange(1.0, 31), 0.0).p_greater == minimum_sign_flip_p(30) / 2
    assert compare_unpaired(first + 99, second).p_greater == unpaired.minimum_p / 2


def test_what_isnt_comparable_is_refused() -> None:
    with pytest.raises(ResultError, match="2 runs can't be paired with 1"):
        compare_paired([1, 2], [1])
    with pytest.raises(ResultError, match="found nan"):
        compare_by_seed({0: math.nan}, {0: 1.0})
    with pytest.raises(ResultError, match=r"shape \(0,\)"):
        compare_by_seed({}, {0: 1.0})
    with pytest.raises(SpecError, match="positive"):
        equivalence([1.0], 1.0, 0.0)


def test_equivalence_is_two_one_sided_tests() -> None:
    values = [0.3, -0.2, 0.1, 0.2, -0.1, 0.2, -0.3, 0.1]
    found = equivalence(values, 0.0, 0.25)
    above, below = compare_to_value(values, -0.25), compare_to_value(values, 0.25)
    assert found.p_within == max(above.p_greater, below.p_less) < 0.05
    assert found.p_beyond == min(above.p_less, below.p_greater)
    assert equivalence(values, 3.0, 0.25).p_beyond == 1 / 256
    assert equivalence(values, 3.0, 0.25).p_within == 1.0
    others = dict(enumerate(range(8)))
    by_seed = equivalence_by_seed({s: values[s] + others[s] for s in others}, others, 0.25)
    assert (by_seed.p_within, by_seed.p_beyond) == (found.p_within, found.p_beyond)


def test_a_trend_is_spearmans_correlation() -> None:
    """Wikipedia's example, ten people's IQ and hours of television: -29/165."""
    iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110]
    hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]
    found = trend([hours], iq)
    assert found.correlation == pytest.approx(-29 / 165)
    assert (found.n, found.p) == (1, 1.0)


def test_the_trend_of_several_seeds_is_tested_over_them() -> None:
    levels = [1, 10, 100, 1000]
    values = np.array([[1, 2, 3, 4], [1, 2, 4, 3], [2, 1, 3, 4], [1, 1, 2, 3], [1, 2, 3, 9]])
    found = trend(values, levels)
    each = [stats.spearmanr(row, levels).statistic for row in values]
    assert found.correlation == pytest.approx(np.mean(each))
    assert found.p == found.minimum_p == 2 / 32
    assert found.high == 1.0
    assert trend(-values, levels).p_less == found.p_greater
    assert trend([[5, 5, 5, 5]] * 3, levels).correlation == 0.0


def test_seeds_without_two_levels_say_nothing_of_a_trend() -> None:
    nan = math.nan
    found = trend([[1, 2, nan], [nan, nan, 3], [1, nan, 4]], [1, 2, 3])
    assert (found.n, found.correlation) == (2, 1.0)
    with pytest.raises(ResultError, match="at least two levels"):
        trend([[1, nan], [nan, 2]], [1, 2])
    with pytest.raises(ResultError, match="shape"):
        trend([[1, 2, 3]], [1, 2])
