"""Test pairs by sign flips after each of several looks, at one level over all looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np

from caduceus.statistics.samples import Array

MAX_PAIRS = 20  # all 2^n ways to flip the signs are computed: a million
_TIE = 1e-10  # sums that differ less, relative to the largest possible, differ by rounding


@dataclass(frozen=True)
class FlipLook:
    """One look of `flip_sequentially`.

    Attributes:
        pairs: the number of pairs that it saw.
        p: the one-sided p: the share of all ways to flip the signs that an earlier look rejects, or
            whose sum is at least the observed one now.
        is_rejected: whether p is at most the level spent up to this look.
    """

    pairs: int
    p: float
    is_rejected: bool


def flip_sequentially(
    values: Array, looks: Sequence[int], levels: Sequence[float]
) -> list[FlipLook]:
    """Test after each look whether the values are greater than zero, until one rejects it.

    Given their sizes, all 2^n signs of n differences are equally likely, if each difference is
    distributed symmetrically about zero (Fisher 1935). So each look rejects the ways with the
    greatest sums among those that no earlier look has rejected, as many as the level spent so far
    allows: a group-sequential test with alpha spending (Lan & DeMets 1983) that is exact for any
    number of pairs. What ties and few ways leave unspent goes to later looks.

    Args:
        values: the differences in the order planned, (n,).
        looks: the numbers of pairs at which it looks, ascending, at most 20.
        levels: the level spent up to each look, ascending; the last is that of the test.

    Returns:
        The looks that the values reach, up to the first that rejects.
    """
    found: list[FlipLook] = []
    size = np.abs(values[: looks[-1]]).sum()
    scaled = values / size if size else values
    sums, is_left = np.zeros(1), np.ones(1, dtype=bool)  # the observed signs are the last
    spent, before = 0.0, 0
    for look, level in zip(looks, levels, strict=True):
        if len(values) < look:
            break
        for value in scaled[before:look]:
            sums, is_left = np.concatenate((sums - value, sums + value)), np.tile(is_left, 2)
        before, ways = look, 2**look
        p = spent + np.count_nonzero(is_left & (sums >= sums[-1] - _TIE)) / ways
        found.append(FlipLook(look, float(p), bool(size) and bool(p <= level)))
        if found[-1].is_rejected:
            break
        left = sums[is_left]
        # Equal sums are rejected all or none. The tolerance keeps 5 * 0.2 from being 4 ways.
        room = floor((level - spent) * ways + 1e-9)
        first_kept = np.partition(left, len(left) - 1 - room)[len(left) - 1 - room]
        is_rejected = is_left & (sums > first_kept + _TIE)
        spent += np.count_nonzero(is_rejected) / ways
        is_left &= ~is_rejected
    return found
