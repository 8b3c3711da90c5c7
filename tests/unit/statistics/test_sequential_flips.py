"""Sign flips after each of several looks: exact at one level over all looks."""

from itertools import product

import numpy as np
from caduceus.statistics.randomization import sign_flips
from caduceus.statistics.sequential_flips import flip_sequentially
from hypothesis import given, settings
from hypothesis import strategies as st

SIZES = st.lists(st.integers(0, 4), min_size=7, max_size=7)


@settings(max_examples=25, deadline=None)
@given(SIZES, st.sampled_from([0.02, 0.06, 0.1, 0.3]), st.sampled_from([0.3, 0.8, 1.0]))
def test_of_all_ways_to_flip_the_signs_at_most_the_level_is_rejected(
    sizes: list[int], level: float, part: float
) -> None:
    """All 2^7 signs are as likely as each other, so this is the test's error rate itself."""
    rejected = 0
    for signs in product((-1.0, 1.0), repeat=7):
        looks = flip_sequentially(
            np.multiply(signs, sizes), (4, 5, 7), (part * level,) * 2 + (level,)
        )
        rejected += looks[-1].is_rejected
    assert rejected / 2**7 <= level


def test_differences_without_ties_spend_the_whole_level() -> None:
    sizes = 1.1 ** np.arange(7) + np.arange(7) ** 2
    rejected = 0
    for signs in product((-1.0, 1.0), repeat=7):
        looks = flip_sequentially(np.multiply(signs, sizes), (5, 7), (0.05, 0.1))
        rejected += looks[-1].is_rejected
    assert rejected == int(0.1 * 2**7)


@given(st.lists(st.floats(-9, 9), min_size=6, max_size=6))
def test_a_single_look_is_the_test_of_sign_flips(values: list[float]) -> None:
    (look,) = flip_sequentially(np.array(values), (6,), (0.05,))
    assert look.p == sign_flips(np.array(values), seed=0)[0]


def test_known_values() -> None:
    """Of four equal differences all positive is one way of 16; one negative, 5 of 16."""
    looks = flip_sequentially(np.array([1.0, 1, 1, -1, 1, 1]), (4, 6), (1 / 16, 0.2))
    assert [look.p for look in looks] == [5 / 16, (4 + 4) / 64]
    # The first look rejects four ways of 64: those with four positive signs at its pairs. Seven
    # ways have at most one negative sign; of these the first look has left four.


def test_looks_after_a_rejection_and_beyond_the_values_are_left_out() -> None:
    assert [look.pairs for look in flip_sequentially(np.ones(5), (4, 5), (0.1, 0.1))] == [4]
    assert [look.pairs for look in flip_sequentially(-np.ones(5), (4, 6), (0.1, 0.1))] == [4]
    assert flip_sequentially(np.ones(3), (4, 6), (0.1, 0.1)) == []


def test_zeros_are_no_evidence() -> None:
    (look,) = flip_sequentially(np.zeros(6), (6,), (0.5,))
    assert look.p == 1 and not look.is_rejected
