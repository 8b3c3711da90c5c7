"""Trends: monotone, by slope and at each step; an inverted U rises in none but the slope."""

import numpy as np
import pytest
from caduceus.statistics import compare_paired, compare_to_value, decide, greater, less, trend
from caduceus.statistics.randomization import joint_sign_flips
from caduceus.statistics.trends import TrendKind
from scipy import stats

LEVELS = (1, 2, 4, 8, 16)
INVERTED_U = (0, 1, 2, 3, 2)


def runs(means: tuple[float, ...], seed: int = 0, noise: float = 0.1) -> np.ndarray:
    """Eight seeds at each level."""
    return np.array(means) + np.random.default_rng(seed).normal(0, noise, (8, len(means)))


def outcomes(values: np.ndarray, kind: TrendKind) -> list[str]:
    """The verdicts on "it rises" and "it falls"."""
    found = trend(values, LEVELS, kind=kind)
    return [decide([claim(found)])[0].outcome for claim in (greater, less)]


@pytest.mark.parametrize(
    ("means", "monotone", "slope", "steps"),
    [
        ((0, 1, 2, 3, 4), "supported", "supported", "supported"),
        (INVERTED_U, "refuted", "supported", "refuted"),
        ((4, 3, 2, 1, 0), "refuted", "refuted", "refuted"),
        ((0, 1, 2, 1, 0), "refuted", "refuted", "refuted"),
        ((4, 1, 2, 3, 4), "refuted", "supported", "refuted"),
    ],
)
def test_each_kind_tests_what_its_name_says(
    means: tuple[float, ...], monotone: str, slope: str, steps: str
) -> None:
    wanted: dict[TrendKind, str] = {"monotone": monotone, "slope": slope, "steps": steps}
    assert {kind: outcomes(runs(means), kind)[0] for kind in wanted} == wanted
    turned = {kind: outcomes(-runs(means), kind)[1] for kind in wanted}
    assert turned == wanted


def test_a_fall_within_noise_leaves_a_rise_undecided() -> None:
    values = np.array(
        [[0, 1, 2, 3, 2.9 + noise] for noise in (-1, -0.5, -0.2, 0, 0.1, 0.2, 0.6, 1)]
    )
    found = trend(values, LEVELS)
    assert found.correlation > 0.9 and found.steps[-1].effect < 0
    assert found.p_greater == 1
    assert outcomes(values, "monotone") == ["undecided", "refuted"]


def test_a_slope_is_that_of_least_squares() -> None:
    values = runs(INVERTED_U)
    slopes = [stats.linregress(LEVELS, row).slope for row in values]
    found = trend(values, LEVELS, kind="slope")
    low, high = stats.t.interval(0.95, 7, np.mean(slopes), stats.sem(slopes))
    assert (found.effect, found.low, found.high) == pytest.approx((np.mean(slopes), low, high))
    assert found.p_greater == compare_to_value(slopes, 0.0).p_greater


def test_of_the_steps_the_weakest_decides() -> None:
    values = runs((0, 1, 1.05, 3, 4))
    found = trend(values, LEVELS, kind="steps")
    weakest = compare_paired(values[:, 2], values[:, 1])
    assert (found.effect, found.low, found.high) == (weakest.effect, weakest.low, weakest.high)
    assert found.p_greater == weakest.p_greater
    assert found.minimum_p == 2 / 2**8


def test_levels_may_come_in_any_order_and_runs_may_be_missing() -> None:
    values, order = runs((0, 1, 2, 3, 4)), [3, 0, 4, 1, 2]
    values[0, 2] = values[5, 1] = np.nan
    found = trend(values[:, order], np.array(LEVELS)[order])
    assert repr(found) == repr(trend(values, LEVELS))  # with an interval of NaN, as all agree
    assert [step.n for step in found.steps] == [7, 6, 7, 8]
    empty = np.column_stack((values, np.full(8, np.nan)))
    assert trend(empty, (*LEVELS, 32)).levels == LEVELS


@pytest.mark.parametrize("kind", ["monotone", "slope", "steps"])
def test_equal_differences_get_no_verdict(kind: TrendKind) -> None:
    """As in a comparison: eight equal steps aren't eight observations of chance."""
    values = np.random.default_rng(0).normal(size=(8, 1)) + np.array(LEVELS)
    assert outcomes(values, kind) == ["no verdict", "no verdict"]
    assert trend(values, LEVELS, kind=kind).p == 1


def test_joint_sign_flips_are_those_of_brute_force() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, (6, 3))
    scaled = values / np.sqrt((values**2).sum(axis=0))
    signs = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1).T
    sums, observed = signs @ scaled, scaled.sum(axis=0)
    wanted = (
        np.mean(sums.max(axis=1) >= observed.max() - 1e-9),
        np.mean(sums.min(axis=1) <= observed.min() + 1e-9),
    )
    assert joint_sign_flips(values, 0) == wanted
    assert joint_sign_flips(np.zeros((4, 2)), 0) == (1, 1)


@pytest.mark.slow
def test_without_a_trend_few_verdicts_are_wrong() -> None:
    """ "It rises" is refuted of flat means, and "steps" supported, in at most 5 %."""
    generator, wrong, families = np.random.default_rng(1), {"monotone": 0, "steps": 0}, 400
    for _ in range(families):
        values = generator.normal(size=(8, 4))
        for kind in ("monotone", "steps"):
            [verdict] = decide([greater(trend(values, LEVELS[:4], kind=kind))])
            wrong[kind] += verdict.outcome in ("supported", "refuted")
    assert max(wrong.values()) / families <= 0.05
