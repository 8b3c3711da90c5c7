"""Early termination by hyperband."""

import math

import pytest
from caduceus.runs.goal import Goal
from caduceus.sweeps.hyperband import (
    HyperbandSettings,
    RungValue,
    rows_until,
    rung_values,
    rungs,
    stopping_rung,
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (HyperbandSettings(min_iter=3), [3, 9, 27, 81]),
        (HyperbandSettings(min_iter=2, eta=1.5), [2, 3, 4, 6]),
        (HyperbandSettings(max_iter=27, s=2), [3, 9]),
        (HyperbandSettings(max_iter=27, s=9), [1, 3, 9]),
        (HyperbandSettings(max_iter=5, s=2, eta=2), [1, 2]),
        (HyperbandSettings(max_iter=27, s=2, min_iter=1), [3, 9]),
        (HyperbandSettings(max_iter=2, s=2), []),
    ],
)
def test_where_the_rungs_are(settings: HyperbandSettings, expected: list[int]) -> None:
    assert rungs(settings)[:4] == expected


def test_large_rungs_end_where_no_run_comes() -> None:
    assert rungs(HyperbandSettings(min_iter=1, eta=1e10)) == [1, 10**10]


def test_settings_without_rungs_are_refused() -> None:
    with pytest.raises(ValueError, match="min_iter"):
        rungs(HyperbandSettings(max_iter=27))


def test_a_run_alone_goes_on() -> None:
    own = rung_values([3.0, 2.0, 5.0], [1, 3], Goal.MINIMIZE)
    assert own == {1: RungValue(3.0, 3.0), 3: RungValue(5.0, 2.0)}
    assert stopping_rung(own, [], HyperbandSettings(min_iter=1), Goal.MINIMIZE) is None


def test_only_a_strict_rule_stops_a_run_that_was_better_before() -> None:
    own = rung_values([1.0, 9.0], [2], Goal.MINIMIZE)
    others = [rung_values([value, value], [2], Goal.MINIMIZE) for value in (2.0, 3.0, 4.0)]
    stricter = HyperbandSettings(min_iter=2, eta=4)
    assert stopping_rung(own, others, stricter, Goal.MINIMIZE) == 2
    lenient = HyperbandSettings(min_iter=2, eta=4, strict=False)
    assert stopping_rung(own, others, lenient, Goal.MINIMIZE) is None


def test_rungs_are_values_of_an_axis_where_one_is_given() -> None:
    values, places = [9.0, math.nan, 5.0, 1.0, 7.0], [40, 90, 110, 250, None]
    own = rung_values(values, [50, 100, 200, 300], Goal.MINIMIZE, places)
    # Of the first row with a value that reaches the rung; one without a number there reaches none.
    assert own == {50: RungValue(5.0, 5.0), 100: RungValue(5.0, 5.0), 200: RungValue(1.0, 1.0)}
    assert rows_until(values, 100, places) == 2
    assert rows_until(values, 100) == 100
    # However far apart each run's rows are, equal progress is compared.
    dense = rung_values([100 - at for at in range(100)], [50], Goal.MINIMIZE, list(range(100)))
    sparse = rung_values([100, 75, 50, 25], [50], Goal.MINIMIZE, [0, 25, 50, 75])
    assert dense == sparse == {50: RungValue(50, 50)}
