"""Joint sign flips with step-down maxT: known answers, error rates and power."""

from itertools import combinations, product

import numpy as np
import pytest
from caduceus.statistics.comparisons import compare_paired
from caduceus.statistics.joint_flips import Pair, flip_jointly
from caduceus.statistics.settings import PairedTest, Statistic
from scipy import stats


def pairs_of(runs: np.ndarray) -> list[Pair]:
    """All pairs of the rows of `runs`, (methods, seeds), without the runs that are NaN."""
    sides = [
        {seed: float(value) for seed, value in enumerate(row) if np.isfinite(value)} for row in runs
    ]
    return list(combinations(sides, 2))


def by_hand(differences: np.ndarray) -> np.ndarray:
    """Adjusted p of columns (n, m): all 2^n flips, one hypothesis after the other."""
    flips = np.array([*product((-1, 1), repeat=len(differences))], dtype=float)
    scaled = differences / np.sqrt((differences**2).sum(axis=0))
    observed, null = np.abs(scaled.sum(axis=0)), np.abs(flips @ scaled)
    p, last, left = np.empty(len(observed)), 0.0, list(np.argsort(-observed))
    while left:
        last = max(last, np.mean(null[:, left].max(axis=1) >= observed[left[0]] - 1e-9))
        p[left.pop(0)] = last
    return p


@pytest.mark.parametrize("n", [3, 6, 9])
def test_p_are_those_of_all_flips(n: int) -> None:
    runs = np.random.default_rng(n).normal(size=(4, n)) + np.array([2, 0, 0, 1])[:, None]
    differences = np.array([one - other for one, other in combinations(runs, 2)]).T
    assert flip_jointly(pairs_of(runs)).p == pytest.approx(by_hand(differences))


@pytest.mark.parametrize("test", ["sign_flip", "wilcoxon"])
def test_a_single_pair_has_the_p_of_its_own_test(test: PairedTest) -> None:
    first, second = np.random.default_rng(1).integers(0, 9, (2, 8)).astype(float)
    [p] = flip_jointly(pairs_of(np.array([first, second])), test).p
    assert p == pytest.approx(compare_paired(first, second, test=test).p)


def test_a_pair_that_is_another_one_twice_changes_no_p() -> None:
    """Such as an accuracy in percent and its error."""
    pairs = pairs_of(np.random.default_rng(3).normal(size=(3, 8)))
    error = [
        ({seed: 5 - 100 * value for seed, value in side.items()} for side in pair) for pair in pairs
    ]
    alone, twice = flip_jointly(pairs), flip_jointly([*pairs, *map(tuple, error)])
    assert twice.p == pytest.approx([*alone.p, *alone.p])
    assert twice.difference[3:] == pytest.approx(-100 * alone.difference)


def test_five_seeds_decide_nothing_and_six_may() -> None:
    for n, least in ((5, 2 / 2**5), (6, 2 / 2**6)):
        runs = np.random.default_rng(n).normal(size=(4, n))
        assert flip_jointly(pairs_of(runs)).minimum_p == pytest.approx([least] * 6)


def test_a_pair_with_fewer_seeds_than_others_decides_less() -> None:
    runs = np.random.default_rng(0).normal(size=(3, 10))
    runs[2, 6:] = np.nan
    alone, beside = flip_jointly(pairs_of(runs[[0, 2]])), flip_jointly(pairs_of(runs))
    assert alone.minimum_p[0] == 2 / 2**6 < beside.minimum_p[1]


def test_minimum_p_is_by_its_definition_for_pairs_of_unequal_seeds() -> None:
    """By hand: the flips that turn all of a pair's signs, or under which another pair, which isn't
    significant, is as large as the pair can be at most."""
    runs = np.random.default_rng(6).normal(size=(5, 7)) + np.array([0, 0, 1, 4, 8])[:, None]
    runs[1, 5:] = np.nan
    runs[2, 4:] = np.nan
    pairs, alpha = pairs_of(runs), 0.1
    found = flip_jointly(pairs, alpha=alpha)
    assert 0 < sum(found.p <= alpha) < len(pairs)
    flips = np.array([*product((-1, 1), repeat=7)], dtype=float)
    seeds = [sorted(first.keys() & second.keys()) for first, second in pairs]
    scaled = []
    for (first, second), common in zip(pairs, seeds, strict=True):
        sums = flips[:, common] @ np.array([first[each] - second[each] for each in common])
        scaled.append(np.abs(sums) / np.sqrt((sums**2).mean()))
    for at, common in enumerate(seeds):
        others = [
            of for number, of in enumerate(scaled) if number != at and found.p[number] > alpha
        ]
        reached = np.any(np.array(others) >= len(common) ** 0.5 - 1e-10, axis=0)
        alike = np.abs(flips[:, common].sum(axis=1)) == len(common)
        assert found.minimum_p[at] == pytest.approx(np.mean(reached | alike))


def test_more_seeds_than_can_be_gone_through_are_sampled() -> None:
    runs = np.random.default_rng(4).normal(size=(3, 30)) + np.array([0, 0.4, 3])[:, None]
    found, again = flip_jointly(pairs_of(runs)), flip_jointly(pairs_of(runs))
    other = flip_jointly(pairs_of(runs), seed=1)
    assert list(found.p) == list(again.p) != list(other.p)
    assert found.p == pytest.approx(other.p, abs=0.01)
    assert found.p[1:] == pytest.approx([1 / 20_000] * 2)  # the observed flip itself


TRUTHS = {"none differs": (0, 0, 0, 0), "two are equal": (3, 3, 0, -3), "three": (3, 3, 3, 0)}


@pytest.mark.parametrize("means", TRUTHS.values(), ids=TRUTHS)
@pytest.mark.parametrize("statistic", ["mean", "median", "iqm"])
def test_of_equal_methods_few_families_have_a_significant_pair(
    means: tuple[float, ...], statistic: Statistic
) -> None:
    """Whichever others differ, with columns of unequal variance and missing runs."""
    generator, wrong, families = np.random.default_rng(0), 0, 150
    equal = [one == other for one, other in combinations(means, 2)]
    for _ in range(families):
        of_seed = generator.normal(size=7)
        pairs: list[Pair] = []
        for scale in (1, 100):
            runs = scale * (generator.normal(size=(4, 7)) + of_seed + np.array(means)[:, None])
            runs[generator.random(runs.shape) < 0.05] = np.nan
            pairs += pairs_of(runs)
        p = flip_jointly(pairs, statistic=statistic).p
        wrong += bool((p[np.array(equal * 2)] <= 0.05).any())
    assert wrong <= stats.binom.ppf(0.999, families, 0.05)


def test_eight_seeds_find_most_differences_of_two_standard_deviations() -> None:
    """Of four methods in three columns, where Holm's method over 18 pairs can find none."""
    generator, found, tables = np.random.default_rng(0), 0, 60
    for _ in range(tables):
        of_seed = generator.normal(size=8)
        pairs: list[Pair] = []
        for _ in range(3):
            runs = (generator.normal(size=(4, 8)) + of_seed) / 2**0.5
            pairs += pairs_of(runs + np.array([2, 0, 0, 0])[:, None])
        p = flip_jointly(pairs).p.reshape(3, 6)
        found += int((p[:, :3] <= 0.05).sum())
    assert found >= 0.7 * 9 * tables
