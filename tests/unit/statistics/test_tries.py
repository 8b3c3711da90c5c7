"""Tries: what screening and confirmation decide, and what is kept by chance."""

import math
from typing import Any

import numpy as np
import pytest
from caduceus.errors import ResultError
from caduceus.statistics.tries import (
    Design,
    Outcome,
    Step,
    level_of_try,
    next_step,
    paired_differences,
    screening_seeds,
    spread_of_differences,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

GOOD = [2.0, 1.5, 1.8, 2.2, 2.5, 1.9]
BETTER = [2.0, 1.0, 3.0, 4.0, 2.1, 1.1, 3.2, 2.6, 1.4]


def step(
    differences: list[float],
    confirmations: list[float] | None = None,
    earlier: tuple[Outcome, ...] = (),
    design: Design | None = None,
    spread: float = 1.0,
) -> Step:
    return next_step(design or Design(), earlier, differences, confirmations or [], spread)


def test_a_try_is_screened_confirmed_and_kept() -> None:
    assert (step([]).decision, step([]).pairs) == ("screen", 1)
    assert (step(GOOD[:2]).decision, step(GOOD[:2]).pairs) == ("screen", 1)
    promising = step(GOOD)
    assert (promising.decision, promising.pairs) == ("confirm", 5)
    assert promising.level == pytest.approx(0.0075)
    assert step(GOOD, BETTER[:3]).pairs == 2
    assert step(GOOD, BETTER[:6]).pairs == 3
    kept = step(GOOD, BETTER)
    assert (kept.decision, kept.pairs, kept.n) == ("kept", 0, 9)
    assert kept.p == 1 / 512
    assert kept.effect == pytest.approx(np.mean(BETTER))


def test_the_interval_holds_at_every_look_of_the_confirmation() -> None:
    kept = step(GOOD, BETTER)
    expected = stats.t.interval(1 - 0.05 / 4, 8, np.mean(BETTER), np.std(BETTER, ddof=1) / 9**0.5)
    assert (kept.low, kept.high) == pytest.approx(expected)


def test_a_useless_try_ends_with_its_first_pairs() -> None:
    assert step([-1.0]).reason == "no_gain_in_screening"
    assert (step([0.2, -0.1]).decision, step([0.2, -0.1]).n) == ("discarded", 2)
    assert step([0.0, 0.0]).decision == "discarded"  # the edit changed nothing


def test_a_gain_that_fresh_seeds_dont_show_is_discarded_and_costs_its_level() -> None:
    found = step(GOOD, [2.0, -1, 3, -4, 2])
    assert (found.decision, found.reason) == ("discarded", "no_gain_on_fresh_seeds")
    assert found.level == pytest.approx(0.0075)
    assert found.p > 0.3


def test_the_budget_ends_undecided() -> None:
    found = step(GOOD, [3.0, 2, 1, 2, -1, 2, 1, 3, -1, 2, -1, -2, 1, 2, -1, -1, 1, 1])
    assert (found.decision, found.reason, found.n) == ("undecided", "budget_used", 18)
    assert 0.0075 < found.p < 0.3


@pytest.mark.parametrize("noise", [0.0, 1e-16])
def test_equal_differences_are_no_evidence_however_many(noise: float) -> None:
    """A program that ignores its seed shows one value, not eighteen."""
    equal = [0.02 + noise * (place % 2) for place in range(18)]
    assert step(equal[:6], spread=math.nan).reason == "differences_equal"
    found = step(GOOD, equal)
    assert (found.decision, found.reason, found.p) == ("undecided", "differences_equal", 1)
    assert math.isnan(found.low)


def test_differences_are_rid_of_rounding_errors_and_signed_by_the_goal() -> None:
    found = paired_differences([0.93, 0.92], [0.91, 0.90])
    assert found[0] == found[1] == 0.02
    assert list(paired_differences([1.0, 3.0], [2.0, 5.0], greater_is_better=False)) == [1, 2]
    with pytest.raises(ResultError, match="2 runs can't be paired with 1"):
        paired_differences([1, 2], [1])


def test_the_least_effect_has_to_be_exceeded() -> None:
    design = Design(min_effect=2.0)
    assert step(GOOD, BETTER, design=design).decision == "discarded"
    more = [value + 2 for value in GOOD], [value + 2 for value in BETTER]
    shifted, plain = step(*more, design=design), step(GOOD, BETTER)
    assert (shifted.decision, shifted.p) == (plain.decision, plain.p)
    assert shifted.effect == pytest.approx(plain.effect + 2)


def test_each_confirmation_takes_a_share_of_what_is_left_and_a_kept_one_gives_it_back() -> None:
    design, outcomes, levels = Design(), [], []
    for is_kept in (False, True, False, False):
        levels.append(level_of_try(design, outcomes))
        outcomes.append(Outcome(levels[-1], is_kept))
    assert levels == pytest.approx([0.0075, 0.006375, 0.006375, 0.00541875])
    assert level_of_try(design, [Outcome(0.0, is_kept=False)] * 500) == 0.15 * 0.05


@given(st.lists(st.booleans(), max_size=300))
def test_levels_that_didnt_keep_and_the_next_never_exceed_the_ledgers(kept: list[bool]) -> None:
    """The bound on the chance of any false keep: it may come at any time."""
    design, outcomes = Design(), []
    for is_kept in kept:
        level = level_of_try(design, outcomes)
        assert level + sum(each.level for each in outcomes if not each.is_kept) <= design.level
        outcomes.append(Outcome(level, is_kept))


def test_a_ledger_whose_level_is_spent_keeps_nothing_and_says_so() -> None:
    spent = (Outcome(0.04999, is_kept=False),)
    assert step(GOOD, earlier=spent).reason == "level_spent"


@settings(max_examples=60)
@given(
    st.lists(st.integers(-2, 6), min_size=6, max_size=8),
    st.lists(st.integers(-2, 6), min_size=18, max_size=20),
)
def test_the_verdict_is_that_of_the_first_look_that_has_one(
    differences: list[int], confirmations: list[int]
) -> None:
    """However many values come at once, and whatever comes after."""
    at_once = step([float(each) for each in differences], [float(each) for each in confirmations])
    screened, fresh = 0, 0
    found = step([])
    while found.pairs:
        screened += found.pairs if found.decision == "screen" else 0
        fresh += found.pairs if found.decision == "confirm" else 0
        found = step([*map(float, differences[:screened])], [*map(float, confirmations[:fresh])])
    assert repr(found) == repr(at_once)  # NaN equals NaN here


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_verdicts_dont_depend_on_the_unit(unit: float) -> None:
    scaled = step([unit * v for v in GOOD], [unit * v for v in BETTER], spread=unit)
    assert (scaled.decision, scaled.p) == ("kept", 1 / 512)


def test_the_spread_is_that_of_most_tries() -> None:
    generator = np.random.default_rng(3)
    tries = [generator.normal(0, 2, size).tolist() for size in (1, 2, 2, 3, 2, 5, 13, 2, 4, 2) * 8]
    collapsed = [[-50.0, 40.0]] * 5
    assert spread_of_differences([], tries) == pytest.approx(2, rel=0.2)
    assert spread_of_differences([], tries + collapsed) == pytest.approx(2, rel=0.25)
    runs = generator.normal(0, 2, 400).tolist()
    assert spread_of_differences(runs, [[1.0]]) == pytest.approx(2 * 2**0.5, rel=0.1)
    assert math.isnan(spread_of_differences([1.0], [[], [1.0]]))


@pytest.mark.parametrize("scale", [1e-300, 1e200])
def test_the_spread_of_values_whose_squares_overflow(scale: float) -> None:
    found = spread_of_differences([], [[scale, 2 * scale, 4 * scale]])
    assert found == pytest.approx(scale * spread_of_differences([], [[1.0, 2.0, 4.0]]))


def test_equal_values_dont_show_the_spread() -> None:
    """Scores of few values are often equal by chance, so that the median would be zero."""
    assert math.isnan(spread_of_differences([0.1, 0.1, 0.1], [[0.5, 0.5]]))
    coarse = [[0.0, 0.0]] * 20 + [[1.0, -1.0]] * 10
    assert spread_of_differences([1.0, 1.0], coarse) > 1


def test_tries_begin_at_different_seeds() -> None:
    pool = [10, 11, 12, 13, 14, 15, 16]
    assert screening_seeds(pool, 0, 5) == (10, 11, 12, 13, 14)
    assert screening_seeds(pool, 1, 5) == (15, 16, 10, 11, 12)
    with pytest.raises(ResultError, match="screening takes 5 seeds, and the incumbent has 4"):
        screening_seeds(pool[:4], 0, 5)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"level": 0.0}, "level of tries: found 0.0"),
        ({"share": 1.0}, "share of tries"),
        ({"min_effect": -0.1}, "min_effect of tries"),
        ({"min_effect": float("nan")}, "min_effect of tries"),
        ({"screening": (2, 2, 3, 4, 5, 6)}, "screening of tries"),
        ({"bounds": (0.5,)}, "bounds of tries"),
        ({"confirmation": (5, 9, 13, 30)}, "confirmation of tries"),
        ({"spending": (0.5, 0.4, 0.9, 1.0)}, "spending of tries"),
    ],
)
def test_impossible_designs_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ResultError, match=message):
        Design(**values)


def test_values_that_arent_finite_are_refused() -> None:
    with pytest.raises(ResultError, match="nan"):
        step([1.0, float("nan")])
    with pytest.raises(ResultError, match="inf"):
        step(GOOD, [float("inf")])
