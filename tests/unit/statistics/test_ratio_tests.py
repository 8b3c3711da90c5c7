"""Tests of how many times a mean is another."""

import numpy as np
import pytest
from caduceus.errors import ResultError
from caduceus.statistics import compare_paired, compare_ratio, compare_unpaired, ratio_equivalence

GENERATOR = np.random.default_rng(3)
FIRST = dict(enumerate(map(float, GENERATOR.normal(6, 0.5, 9))))
SECOND = dict(enumerate(map(float, GENERATOR.normal(2, 0.2, 9))))


def test_a_ratio_is_tested_as_a_difference_to_so_many_times_the_other() -> None:
    found = compare_ratio(FIRST, SECOND, 2.5)
    scaled = [2.5 * value for value in SECOND.values()]
    assert found == compare_paired(list(FIRST.values()), scaled)

    others = {seed + 100: value for seed, value in SECOND.items()}
    found = compare_ratio(FIRST, others, 2.5)
    assert found == compare_unpaired(list(FIRST.values()), scaled)


def test_the_unit_doesnt_matter() -> None:
    in_ms = [{seed: 1000 * value for seed, value in side.items()} for side in (FIRST, SECOND)]
    one, other = compare_ratio(FIRST, SECOND, 2.8), compare_ratio(*in_ms, 2.8)
    assert one.p == other.p and one.effect_size == pytest.approx(other.effect_size)
    assert ratio_equivalence(FIRST, SECOND, 3, 0.5).p_within == (
        ratio_equivalence(*in_ms, 3, 0.5).p_within
    )


def test_a_ratio_within_a_tolerance_is_above_its_lower_and_below_its_upper_end() -> None:
    found = ratio_equivalence(FIRST, SECOND, 3.0, 0.5)
    lower, upper = compare_ratio(FIRST, SECOND, 2.5), compare_ratio(FIRST, SECOND, 3.5)
    assert found.p_within == max(lower.p_greater, upper.p_less) < 0.05
    assert found.p_beyond == min(lower.p_less, upper.p_greater)
    assert found.tolerance == pytest.approx(0.5 * np.mean(list(SECOND.values())))


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_a_ratio_is_to_positive_values(value: float) -> None:
    with pytest.raises(ResultError, match="a ratio is to values above 0, and one is"):
        compare_ratio(FIRST, SECOND | {4: value}, 2)
