"""Folds: standard errors, intervals and tests where training sets overlap."""

import math
from typing import Any

import numpy as np
import pytest
from caduceus.paper.marks import Column, find_best
from caduceus.runs.goal import Goal
from caduceus.statistics import (
    PublishedMean,
    compare_by_seed,
    compare_paired,
    compare_to_published,
    compare_to_value,
    compare_unpaired,
    decide,
    equivalence,
    estimate_mean,
    greater,
    trend,
    within,
)
from caduceus.statistics.bounded import estimate_within
from caduceus.statistics.cross_validation import corrected_t_test, error_factor
from caduceus.statistics.curves import estimate_steps
from caduceus.statistics.estimates import estimate_by
from caduceus.statistics.ratios import relative_change
from caduceus.statistics.settings import Methods
from scipy import stats

# ROC AUC of two support vector machines, by an RBF and a linear kernel, on the 100 test sets of ten
# 10-fold cross-validations of 100 points of scikit-learn's two moons, in units of 0.04. They are
# those of scikit-learn's page "Statistical comparison of models using grid search".
RBF = [23, 18, 19, 23, 25, 25, 25, 25, 24, 25, 24, 25, 25, 23, 21, 23, 25, 25, 20, 25]
RBF += [20, 23, 22, 23, 25, 25, 22, 23, 25, 25, 20, 24, 21, 25, 25, 25, 25, 24, 23, 25]
RBF += [25, 23, 25, 23, 25, 19, 25, 25, 25, 25, 25, 21, 25, 25, 25, 18, 23, 25, 25, 25]
RBF += [23, 23, 25, 25, 20, 22, 25, 23, 24, 25, 24, 23, 21, 23, 25, 25, 25, 22, 23, 23]
RBF += [25, 23, 24, 25, 18, 25, 25, 25, 25, 19, 24, 22, 25, 18, 23, 25, 24, 25, 25, 21]
LINEAR = [24, 21, 19, 23, 25, 24, 24, 25, 23, 25, 23, 24, 24, 22, 20, 24, 25, 25, 20, 25]
LINEAR += [21, 24, 21, 25, 25, 24, 21, 22, 25, 25, 21, 23, 21, 25, 24, 25, 25, 23, 22, 25]
LINEAR += [24, 23, 25, 23, 25, 19, 25, 23, 25, 25, 25, 20, 24, 24, 25, 17, 24, 23, 25, 25]
LINEAR += [23, 23, 25, 20, 21, 22, 24, 23, 24, 25, 24, 22, 20, 21, 25, 24, 25, 23, 23, 23]
LINEAR += [24, 25, 23, 25, 17, 25, 25, 25, 25, 19, 24, 23, 25, 19, 23, 25, 23, 23, 25, 21]


def values(n: int, seed: int = 0, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, n)


def test_ten_times_ten_folds_give_the_t_and_p_that_scikit_learn_prints() -> None:
    found = compare_paired(np.array(RBF) / 25, np.array(LINEAR) / 25, folds=10)

    assert found.effect / (found.std * (1 / 100 + 1 / 9) ** 0.5) == pytest.approx(0.750, abs=5e-4)
    assert found.p_greater == pytest.approx(0.227, abs=5e-4)
    assert found.test == "corrected_t"
    assert found.is_paired
    # Independent runs with these values would have decided.
    assert compare_paired(np.array(RBF) / 25, np.array(LINEAR) / 25).p < 0.05


@pytest.mark.parametrize(("n", "folds"), [(10, 10), (5, 5), (30, 10), (2, 2)])
def test_a_mean_has_the_variance_of_nadeau_and_bengio(n: int, folds: int) -> None:
    found = estimate_mean(values(n), folds=folds)
    variance = values(n).var(ddof=1) * (1 / n + 1 / (folds - 1))

    assert found.standard_error == pytest.approx(variance**0.5)
    half = stats.t.ppf(0.975, n - 1) * variance**0.5
    assert (found.high - found.low) / 2 == pytest.approx(half)
    assert "corrected Student's t" in found.method
    assert error_factor(n, None) == 1


def test_no_number_of_repetitions_makes_a_mean_certain() -> None:
    few, many = (estimate_mean(np.resize([0.0, 1.0], n), folds=10) for n in (100, 100_000))

    assert many.standard_error == pytest.approx(many.std / 3, rel=1e-3)
    assert many.standard_error > 0.9 * few.standard_error


def test_every_test_takes_the_corrected_error() -> None:
    n, factor = 10, (1 + 10 / 9) ** 0.5
    array, other = values(n, 1, 0.8), values(n, 2)
    plain = stats.ttest_1samp(array, 0.5).statistic / factor
    bound = compare_to_value(array, 0.5, folds=10)
    assert bound.p_greater == pytest.approx(stats.t.sf(plain, n - 1))

    error = (array.var(ddof=1) + other.var(ddof=1)) ** 0.5 * (1 / n + 1 / 9) ** 0.5
    apart = compare_unpaired(array, other, folds=10)
    t = (array.mean() - other.mean()) / error
    degrees = stats.ttest_ind(array, other, equal_var=False).df
    assert apart.p_greater == pytest.approx(stats.t.sf(t, degrees))
    assert apart.test == "corrected_welch"
    seeds = dict(enumerate(array)), {100 + seed: value for seed, value in enumerate(other)}
    assert compare_by_seed(*seeds, folds=10) == apart

    known = PublishedMean.of_std(0.0, 1.0, 20)
    theirs = compare_to_published(array, known, folds=10)
    combined = (array.var(ddof=1) * (1 / n + 1 / 9) + 1 / 20) ** 0.5
    assert (theirs.high - theirs.low) / 2 / combined == pytest.approx(2.1, abs=0.15)
    alike = compare_to_published(array, PublishedMean(0.0, None, 20), folds=10)
    combined = (array.var(ddof=1) * (1 / n + 1 / 9 + 1 / 20)) ** 0.5
    half = stats.t.ppf(0.975, n - 1) * combined
    assert (alike.high - alike.low) / 2 == pytest.approx(half)


def test_ratios_ranges_and_curves_have_wider_intervals() -> None:
    array, base = values(10, 1, 9.0), values(10, 2, 8.0)
    factor = (1 + 10 / 9) ** 0.5
    plain, corrected = (relative_change(array, base, True, folds=k) for k in (None, 10))
    assert corrected.value == plain.value
    assert corrected.high - corrected.low == pytest.approx(
        (plain.high - plain.low) * factor, rel=0.1
    )

    wide = estimate_within(Methods(folds=10), [0.9, 0.95, 0.97, 0.99], (0, 1))
    narrow = estimate_within(Methods(), [0.9, 0.95, 0.97, 0.99], (0, 1))
    assert wide.low < narrow.low < narrow.high < wide.high < 1

    rows = values(20).reshape(10, 2)
    _, value, low, high = estimate_steps(rows, Methods(folds=10))
    own = [estimate_by(Methods(folds=10), column) for column in rows.T]
    assert value == pytest.approx([each.value for each in own])
    assert low == pytest.approx([each.low for each in own])
    assert high == pytest.approx([each.high for each in own])


def test_verdicts_name_no_number_of_folds_that_would_do() -> None:
    array = values(10, 3, 0.3)
    [noise] = decide([greater(compare_to_value(array, 0.0, folds=10))])
    assert noise.outcome == "within noise"
    assert noise.runs_that_would_do is None

    [single] = decide([greater(compare_to_value([1.0], 0.0, folds=10))])
    assert single.outcome == "not enough runs"
    assert single.runs_that_would_do == 2

    [same] = decide([within(equivalence(array, float(array.mean()), 3.0, folds=10))])
    assert same.outcome == "supported"


@pytest.mark.parametrize("kind", ["monotone", "slope", "steps"])
def test_trends_over_folds_are_tested_by_t(kind: Any) -> None:
    rising = values(30).reshape(10, 3) / 10 + [0, 1, 2]
    found, plain = (trend(rising, [1, 2, 3], kind=kind, folds=k) for k in (10, None))
    [verdict] = decide([greater(found)])

    assert verdict.outcome == "supported"
    assert found.minimum_p == 0 < plain.minimum_p
    falling = trend(-rising, [1, 2, 3], kind=kind, folds=10)
    assert falling.p_less == pytest.approx(found.p_greater)
    assert falling.p_not_greater == pytest.approx(found.p_not_less)


def test_marks_are_adjusted_by_holm_and_not_by_flips_of_folds() -> None:
    runs = {row: dict(enumerate(values(10, row, mean))) for row, mean in enumerate((3.0, 2.6, 0.0))}
    means = {row: float(np.mean([*each.values()])) for row, each in runs.items()}
    marks = find_best({"": Column(Goal.MAXIMIZE, means, runs)}, folds=10)

    assert marks.by_place["", 2] == "worse"
    assert marks.by_place["", 1] == "tied"
    assert marks.family.correction == "Holm over 3 pairs"
    first, third = (np.array([*runs[row].values()]) for row in (0, 2))
    assert marks.p["", 2] == pytest.approx(3 * 2 * min(corrected_t_test(first - third, 10)))


def test_equal_folds_decide_nothing() -> None:
    assert compare_paired([0.5] * 10, [0.4] * 10, folds=10).p == 1
    assert corrected_t_test(np.array([0.5]), 10) == (1.0, 1.0)
    assert math.isnan(estimate_mean([0.5] * 10, folds=10).low)
