"""Ranks over tasks: the example of Demšar 2006, ties, few tasks, and errors by simulation."""

import math

import numpy as np
import pytest
from caduceus.errors import ResultError
from caduceus.paper.rank_sentences import rank_sentences
from caduceus.statistics.ranks import (
    bayesian_signed_rank,
    compare_ranks,
    compare_with_control,
    task_ranks,
)
from scipy import stats

# Demšar 2006, Table 6: AUC of C4.5, C4.5+m, C4.5+cf, C4.5+m+cf on 14 datasets. On the last but one
# he prints 0.975 for the last two, and ranks them 2 and 3.
AUC = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9752, 0.9748],
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def test_the_ranks_and_tests_are_those_of_demsar() -> None:
    """His chi-square has no correction for ties; ours, corrected, is scipy's."""
    found = compare_ranks(AUC)
    assert found.ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert found.degrees == (3, 39)
    ties = 1 - sum(
        count**3 - count for row in AUC for count in np.unique(row, return_counts=True)[1]
    ) / (14 * 4 * 15)
    uncorrected = found.chi_square * ties
    assert uncorrected == pytest.approx(9.28, abs=5e-3)
    assert 13 * uncorrected / (14 * 3 - uncorrected) == pytest.approx(3.69, abs=5e-3)
    assert found.chi_square == pytest.approx(stats.friedmanchisquare(*AUC.T).statistic)
    assert found.f == pytest.approx(13 * found.chi_square / (42 - found.chi_square))
    assert found.p == pytest.approx(stats.f.sf(found.f, 3, 39))


def test_the_critical_differences_are_those_of_demsar() -> None:
    assert compare_ranks(AUC).critical_difference == pytest.approx(1.25, abs=0.005)
    tenth = compare_ranks(AUC, alpha=0.1)
    assert tenth.critical_difference == pytest.approx(1.12, abs=0.005)
    # His Table 5a: the studentized range over sqrt(2).
    for k, q in {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 10: 3.164}.items():
        values = np.random.default_rng(k).normal(size=(20, k))
        critical = compare_ranks(values).critical_difference
        assert critical == pytest.approx(q * math.sqrt(k * (k + 1) / (6 * 20)), rel=1e-3)
    # His Figure 1b: at 0.10 C4.5 differs from both with m, and C4.5+cf from none.
    assert [set(group) for group in tenth.groups] == [{3, 1, 2}, {2, 0}]


def test_holm_against_the_control_is_that_of_demsar() -> None:
    """p of 0.016, 0.019 and 0.607 against C4.5, before Holm's factors of 3, 2 and 1."""
    p = compare_with_control(compare_ranks(AUC), 0)
    assert p[0] == 1
    assert p[3] == pytest.approx(3 * 0.016, abs=2e-3)
    assert p[1] == pytest.approx(3 * 0.016, abs=2e-3)  # 2 * 0.019, not below the one before
    assert p[2] == pytest.approx(0.607, abs=2e-3)


def test_equal_values_share_ranks_though_they_differ_by_rounding() -> None:
    ranks = task_ranks([[0.1 + 0.2, 0.3, 0.5], [1.0, 1.0, 1.0]])
    assert ranks.tolist() == [[2.5, 2.5, 1.0], [2.0, 2.0, 2.0]]
    assert task_ranks([[3.0, 1.0, 2.0]], is_greater_better=False).tolist() == [[3.0, 1.0, 2.0]]


def test_all_equal_decides_nothing() -> None:
    found = compare_ranks(np.ones((8, 3)))
    assert (found.p, found.differ, found.groups) == (1.0, False, [[0, 1, 2]])
    assert math.isnan(found.chi_square)


def test_p_is_not_below_the_chance_of_one_order_on_all_tasks() -> None:
    for n, k in ((5, 2), (6, 2), (5, 3), (8, 4)):
        found = compare_ranks(np.tile(np.arange(k), (n, 1)) + 0.0)
        assert found.f == math.inf
        assert found.p == pytest.approx(1 / math.factorial(k) ** (n - 1))
    assert not compare_ranks([[0.0, 1.0]] * 5).differ  # 1/16
    assert compare_ranks([[0.0, 1.0]] * 6).differ  # 1/32


def test_few_tasks_give_no_verdict() -> None:
    found = compare_ranks([[0.0, 1.0, 2.0, 3.0]] * 4)
    assert (found.is_decidable, found.differ, found.groups) == (False, False, [])
    assert compare_ranks([[0.0, 1.0]]).p == 1


def test_groups_are_the_sets_whose_ends_nemenyi_does_not_tell_apart() -> None:
    order = [[4.0, 3.0, 2.0, 1.0]] * 12  # ranks 1 to 4, with a critical difference of 1.35
    assert compare_ranks(order).groups == [[0, 1], [1, 2], [2, 3]]


@pytest.mark.slow
@pytest.mark.parametrize(("n", "k"), [(5, 3), (5, 6), (10, 4), (20, 10)])
def test_equal_methods_are_seldom_called_different(n: int, k: int) -> None:
    """The chance that any pair differs by Nemenyi's test after Friedman's, of equal methods."""
    trials, alpha, errors = 400, 0.05, 0
    random = np.random.default_rng(n * k)
    for _ in range(trials):
        found = compare_ranks(random.normal(size=(n, k)), alpha=alpha)
        spread = found.ranks.max() - found.ranks.min()
        errors += found.differ and spread > found.critical_difference
    assert errors <= stats.binom.ppf(0.999, trials, alpha)


def test_the_bayesian_signed_rank_test_is_that_of_baycomp() -> None:
    """SignedRankTest of baycomp 1.0.3, 50,000 samples: the error of sampling is 0.2 points."""
    differences = AUC[:, 3] - AUC[:, 0]
    for equal_within, expected in BAYCOMP.items():
        found = bayesian_signed_rank(differences, equal_within)
        assert found == pytest.approx(expected, abs=0.012)
        mirrored = bayesian_signed_rank(-differences, equal_within)
        assert mirrored[::-1] == pytest.approx(found, abs=0.012)
        assert sum(found) == pytest.approx(1)


BAYCOMP = {0.0: (0.9971, 0.0, 0.0029), 0.01: (0.9679, 0.0317, 0.0004)}  # better, equal, worse


def test_ranks_need_two_methods_and_finite_values() -> None:
    for values in ([[1.0], [2.0]], [[1.0, math.nan]], []):
        with pytest.raises(ResultError):
            compare_ranks(values)


def test_equal_methods_are_better_with_probability_one_half() -> None:
    assert bayesian_signed_rank([0.0] * 6) == (0.5, 0, 0.5)


def test_a_difference_of_the_size_that_counts_as_equal_is_a_tie_despite_rounding() -> None:
    differences = [0.93 - 0.91, 0.95 - 0.93, 0.55 - 0.53, 0.03, 0.01]
    exact = [0.02, 0.02, 0.02, 0.03, 0.01]
    assert differences != exact
    assert bayesian_signed_rank(differences, 0.02) == bayesian_signed_rank(exact, 0.02)


def test_ranks_that_are_all_equal_are_said_to_be() -> None:
    [said] = rank_sentences(compare_ranks(np.full((6, 3), 0.5)), ["a", "b", "c"], None)
    assert (
        said == "All methods have equal values on each of 6 tasks, so their ranks decide nothing."
    )
