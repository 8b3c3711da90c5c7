"""Published means: their uncertainty counts, and the same method is seldom refuted."""

import numpy as np
import pytest
from caduceus.statistics import (
    PublishedMean,
    compare_to_published,
    decide,
    equivalence,
    equivalence_to_published,
    within,
)
from scipy import stats


def test_runs_are_compared_with_a_published_mean_by_welchs_test() -> None:
    ours, theirs = np.array([0.91, 0.93, 0.94, 0.90, 0.95]), np.array([0.92, 0.97, 0.95])
    published = PublishedMean.of_std(theirs.mean(), theirs.std(ddof=1), 3)
    found = compare_to_published(ours, published)
    known = stats.ttest_ind(ours, theirs, equal_var=False)
    low, high = known.confidence_interval()

    assert found.p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.effect == pytest.approx(ours.mean() - theirs.mean())
    assert (found.n, found.n_second, found.is_paired) == (5, 3, False)


def test_a_run_whose_noise_isnt_published_is_taken_to_vary_as_ours() -> None:
    """The interval is the prediction interval of one more run."""
    ours = np.array([0.91, 0.93, 0.94, 0.90, 0.95])
    found = compare_to_published(ours, PublishedMean(0.94, None, 1))
    half = stats.t.ppf(0.975, 4) * ours.std(ddof=1) * (1 + 1 / 5) ** 0.5
    assert (found.high - found.low) / 2 == pytest.approx(half)


def test_an_interval_has_the_standard_error_that_it_was_made_from() -> None:
    assert PublishedMean.of_std(1, 2, 4).error == 1
    by_t = stats.t.interval(0.9, 3, 1, 1)
    assert PublishedMean.of_interval(1, *by_t, 0.9, n=4).error == pytest.approx(1)
    assert PublishedMean.of_interval(1, *stats.norm.interval(0.95, 1, 1)).error == pytest.approx(1)


def test_a_single_run_decides_nothing() -> None:
    found = compare_to_published([0.9], PublishedMean(0.5, None, 2))
    assert (found.p, found.minimum_p) == (1, 1)
    (verdict,) = decide([within(equivalence_to_published([0.9], PublishedMean(0, None, 2), 0.1))])
    assert (verdict.outcome, verdict.runs_that_would_do) == ("not enough runs", 2)


@pytest.mark.parametrize("published", [PublishedMean(0.9, None, 2), PublishedMean(0.9, 0.001, 5)])
def test_runs_that_all_gave_one_value_get_no_verdict(published: PublishedMean) -> None:
    found = compare_to_published([0.9] * 8, published)
    assert (found.p, found.equal) == (1, ("first",))
    assert np.isnan([found.low, found.high, found.effect_size]).all()
    (verdict,) = decide([within(equivalence_to_published([0.9] * 8, published, 0.1))])
    assert (verdict.outcome, verdict.p) == ("no verdict", 1)


@pytest.mark.parametrize("published", [1, 3, 5])
def test_the_same_method_is_refuted_in_at_most_5_percent(published: int) -> None:
    """Eight runs against one, three and five; taken as exact, one run is refuted in 40 %."""
    generator, refuted, exact, families = np.random.default_rng(published), 0, 0, 500
    for _ in range(families):
        ours, theirs = generator.normal(size=8), generator.normal(size=published)
        mean = theirs.mean()
        if published == 1:
            known = PublishedMean(mean, None, 1)
        else:
            known = PublishedMean.of_std(mean, theirs.std(ddof=1), published)
        tests = equivalence_to_published(ours, known, 0.05), equivalence(ours, mean, 0.05)
        outcomes = [decide([within(test)])[0].outcome for test in tests]
        refuted += outcomes[0] == "refuted"
        exact += outcomes[1] == "refuted"
    assert refuted / families <= 0.05 + 2 * (0.05 * 0.95 / families) ** 0.5
    assert exact / families > 0.1


def test_equivalence_is_decided_at_5_percent_on_each_side() -> None:
    """So that the interval of 90 % decides, as Schuirmann's tests do; five runs can support it."""
    values, tolerance = np.array([-0.4, -0.2, 0.0, 0.1, 0.9, 0.3]), 0.55
    highest = [stats.t.interval(c, 5, values.mean(), stats.sem(values))[1] for c in (0.9, 0.95)]
    assert highest[0] < tolerance < highest[1]
    exact = PublishedMean(0.0, 0.0, None)
    (verdict,) = decide([within(equivalence_to_published(values, exact, tolerance))])
    assert verdict.outcome == "supported"
    assert 0.025 < verdict.p < 0.05

    five = within(equivalence([0.01, 0.02, -0.01, 0.0, 0.03], 0.0, 0.2))
    (verdict,) = decide([five])
    assert (verdict.outcome, verdict.p, verdict.minimum_p) == ("supported", 1 / 32, 1 / 32)
    far = within(equivalence([1.01, 1.02, 0.99, 1.0, 1.03], 0.0, 0.2))
    (verdict,) = decide([far])
    assert (verdict.outcome, verdict.minimum_p) == ("not enough runs", 2 / 32)
