"""Test items: known answers of McNemar's test, flips, bootstraps and the crossed design."""

from itertools import product

import numpy as np
import pytest
from caduceus.errors import ResultError
from caduceus.statistics.items import (
    bootstrap_items,
    cluster_sums,
    compare_items,
    flip_items,
    mcnemar,
)
from caduceus.statistics.seeds_and_items import compare_seeds_and_items, crossed_error
from scipy import stats


def right(share: float, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Scores of 0 or 1."""
    return (np.random.default_rng(seed).random(shape) < share).astype(float)


@pytest.mark.parametrize(("first", "second"), [(5, 0), (9, 3), (40, 41), (0, 0), (700, 600)])
def test_mcnemar_is_the_binomial_test_of_the_items_that_differ(first: int, second: int) -> None:
    greater, less = mcnemar(first, second)
    sides = {"greater": greater, "less": less}
    for alternative, p in sides.items():
        total = first + second
        wanted = stats.binomtest(first, total, alternative=alternative).pvalue if total else 1.0
        assert p == pytest.approx(wanted)


def test_scores_of_single_runs_are_compared_by_mcnemar_and_flips_give_its_p() -> None:
    one, other = right(0.6, (60,), 1), right(0.4, (60,), 2)
    found = compare_items(one, other)
    pairs = int((one > other).sum()), int((one < other).sum())
    assert (found.test, found.n, found.discordant) == ("mcnemar", 60, sum(pairs))
    assert (found.p_greater, found.p_less) == mcnemar(*pairs)
    assert found.p == pytest.approx(stats.binomtest(pairs[0], sum(pairs)).pvalue)
    assert flip_items(one - other, 0)[0] == pytest.approx(found.p_greater, abs=0.003)
    few = flip_items(np.array([1.0] * 5 + [0.0] * 900), 0)
    assert few == mcnemar(5, 0)


@pytest.mark.parametrize("count", [3, 30])
def test_drawn_flips_are_near_all_flips(count: int) -> None:
    """21 values are too many to flip in all ways; of 3 sizes they are drawn by their counts."""
    generator = np.random.default_rng(count)
    sizes = generator.random(count)
    values = generator.choice(sizes, 21) * generator.choice((-1, 1, 1), 21)
    sums = np.zeros(1)
    for value in np.abs(values):
        sums = np.concatenate((sums - value, sums + value))
    greater, less = flip_items(values, 0)
    assert greater == pytest.approx((sums >= values.sum() - 1e-9).mean(), abs=0.005)
    assert less == pytest.approx((sums <= values.sum() + 1e-9).mean(), abs=0.005)


@pytest.mark.parametrize("sizes", [[1, 1, 1, 1, 1], [1, 3, 2, 1, 2]])
def test_a_bootstrap_of_five_clusters_has_the_percentiles_of_all_its_samples(
    sizes: list[int],
) -> None:
    sums, sizes_ = np.array([0.3, 1.1, -0.4, 0.9, 0.2]), np.array(sizes, dtype=float)
    samples = np.array([*product(range(5), repeat=5)])
    means = sums[samples].sum(axis=1) / sizes_[samples].sum(axis=1)
    share = stats.norm.cdf(-((5 / 4) ** 0.5) * stats.t.ppf(0.9, 4))
    found = bootstrap_items(sums, sizes_, 0.8, 200_000, 0)
    assert found == pytest.approx(np.quantile(means, [share, 1 - share]), abs=0.02)


def test_items_of_a_cluster_are_drawn_together() -> None:
    clusters = np.array([7, 3, 7, 3, 9])
    table = np.arange(10.0).reshape(2, 5)
    assert cluster_sums(table, clusters).tolist() == [[4, 2, 4], [14, 12, 9]]
    # Ten copies of each item say no more than the item does.
    one, other = right(0.6, (40,), 1), right(0.45, (40,), 2)
    single = compare_items(one, other)
    copies = compare_items(one.repeat(10), other.repeat(10), clusters=np.arange(40).repeat(10))
    assert (copies.n, copies.clusters) == (400, 40)
    assert copies.effect == pytest.approx(single.effect)
    assert copies.p == pytest.approx(single.p, abs=0.01)
    assert (copies.low, copies.high) == pytest.approx((single.low, single.high))
    assert copies.effect_size == pytest.approx(single.effect_size)


def test_a_margin_shifts_the_test_but_not_the_interval() -> None:
    one, other = right(0.9, (500,), 1), right(0.6, (500,), 2)
    plain, shifted = compare_items(one, other), compare_items(one, other, margin=0.3)
    assert (plain.low, plain.high) == (shifted.low, shifted.high)
    assert plain.p < 1e-10
    assert shifted.p > 0.05
    assert shifted.test == "sign_flip"


def test_items_without_a_difference_show_nothing() -> None:
    scores = right(0.5, (50,), 1)
    found = compare_items(scores, scores)
    assert (found.p, found.is_constant, found.discordant) == (1.0, True, 0)
    assert np.isnan([found.low, found.high, found.effect_size]).all()


def test_scores_that_cant_be_paired_are_refused() -> None:
    with pytest.raises(ResultError, match="3 items can't be paired with 2"):
        compare_items([1, 0, 1], [1, 0])
    with pytest.raises(ResultError, match="finite"):
        compare_items([1, np.nan], [1, 0])
    with pytest.raises(ResultError, match="3 runs can't be paired with 2"):
        compare_seeds_and_items(np.ones((3, 4)), np.ones((2, 4)), is_paired=True)


def test_the_variance_over_seeds_and_items_is_that_of_the_mean_squares() -> None:
    generator = np.random.default_rng(0)
    n, m = 4, 30
    table = generator.normal(size=(n, 1)) + generator.normal(size=m) + generator.normal(size=(n, m))
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    seeds, items = m * rows.var(ddof=1), n * columns.var(ddof=1)
    rest = ((table - rows[:, None] - columns + table.mean()) ** 2).sum() / ((n - 1) * (m - 1))
    error, degrees = crossed_error([table], None)
    assert error**2 == pytest.approx((seeds + items - rest) / (n * m))
    parts = seeds**2 / (n - 1) + items**2 / (m - 1) + rest**2 / ((n - 1) * (m - 1))
    assert degrees == pytest.approx((seeds + items - rest) ** 2 / parts)
    # Scores of 0 with random rows and columns of the second method add their variance.
    both, _ = crossed_error([table, np.zeros((2, m))], None)
    assert both == pytest.approx(error)


def test_the_error_isnt_below_that_of_seeds_or_of_items_alone() -> None:
    table = right(0.5, (5, 40), 3)
    error, _ = crossed_error([table], None)
    seeds = table.mean(axis=1).std(ddof=1) / 5**0.5
    items = table.mean(axis=0).std(ddof=1) / 40**0.5
    assert error >= max(seeds, items) - 1e-15


def test_a_design_with_clusters_of_one_item_is_one_without() -> None:
    tables = [right(0.5, (5, 40), 3), right(0.4, (3, 40), 4)]
    assert crossed_error(tables, np.arange(40)) == pytest.approx(crossed_error(tables, None))


def test_seeds_and_items_together_are_less_sure_than_either() -> None:
    generator = np.random.default_rng(1)
    chance = np.clip(0.7 + generator.normal(0, 0.05, (6, 1)) + generator.normal(0, 0.2, 200), 0, 1)
    one, other = generator.random((6, 200)) < chance + 0.05, generator.random((6, 200)) < chance
    first, second = one.astype(float), other.astype(float)
    found = compare_seeds_and_items(first, second, is_paired=True)
    by_item = compare_items(first.mean(axis=0), second.mean(axis=0))
    assert found.effect == pytest.approx(by_item.effect)
    assert (found.test, found.seeds, found.n) == ("crossed", (6,), 200)
    assert found.p >= by_item.p
    assert found.low < found.effect < found.high
    assert compare_seeds_and_items(first, second, is_paired=False).seeds == (6, 6)


def test_one_seed_doesnt_show_how_seeds_vary() -> None:
    found = compare_seeds_and_items(right(0.9, (1, 99), 1), right(0.2, (1, 99), 2), True)
    assert (found.p, found.minimum_p) == (1.0, 1.0)
    assert np.isnan(found.low)


@pytest.mark.parametrize(
    ("differ", "is_reliable"), [(0, False), (9, False), (10, True), (92, False)]
)
def test_an_interval_takes_ten_items_that_differ_from_the_commonest(
    differ: int, is_reliable: bool
) -> None:
    scores = np.arange(100) < differ
    found = compare_items(scores.astype(float), np.zeros(100), resamples=100)
    assert (found.rare, found.is_interval_reliable) == (min(differ, 100 - differ), is_reliable)
    both = compare_seeds_and_items(np.array([scores, scores]) * 1.0, np.zeros((2, 100)), True)
    assert both.rare == found.rare


def test_of_clusters_those_count_whose_mean_is_another() -> None:
    clusters = np.arange(40) // 2
    found = compare_items((np.arange(40) < 6) * 1.0, np.zeros(40), 0.0, clusters, resamples=100)
    assert (found.clusters, found.rare) == (20, 3)
