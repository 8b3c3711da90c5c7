"""Compute how many runs a comparison needs, and the smallest p that a number of runs can give."""

from bisect import bisect_left
from math import inf

from scipy.special import nctdtr, stdtrit

from caduceus.statistics.randomization import minimum_sign_flip_p, minimum_split_p
from caduceus.statistics.samples import standardized

_MAX_RUNS = 100_000


def minimum_p(n: int, m: int | None = None) -> float:
    """Return the smallest two-sided p of a test of n pairs, or of n against m unpaired runs.

    For pairs it is 2 / 2^n: all differences have one sign in 2 of the 2^n ways to flip signs. For
    unpaired runs it is 2 / C(n + m, n): one side is entirely above the other in 2 of the
    C(n + m, n) ways to split the runs. If a test draws at random, it is 2 / 100,000.
    """
    return minimum_sign_flip_p(n) if m is None else minimum_split_p(n, m)


def runs_to_decide(comparisons: int = 1, alpha: float = 0.05, is_paired: bool = True) -> int | None:
    """Return the smallest number of runs with which a comparison can be significant at all.

    Args:
        comparisons: the number of comparisons in the family, for Holm's correction.
        alpha: the significance level.
        is_paired: whether runs are paired by seed.

    Returns:
        The number of pairs, or of runs on each side; None if no number is enough, since with more
        than 20 pairs, or 12 runs on each side, tests draw at random and p is at least 2 / 100,000.
    """
    numbers = range(1, 22)
    corrected = (minimum_p(n, None if is_paired else n) * comparisons for n in numbers)
    return next((n for n, p in zip(numbers, corrected, strict=True) if p <= alpha), None)


def runs_needed(
    effect: float, std: float, alpha: float = 0.05, power: float = 0.8, is_paired: bool = True
) -> int | None:
    """Return the smallest number of runs with which an effect is found with probability `power`.

    Computed from the power of the two-sided t-test (Cohen 1988, §2), but at least the number with
    which the permutation test can be significant at all.

    Args:
        effect: the mean difference to find, in the unit of `std`.
        std: the standard deviation of the paired differences, or, if unpaired, of the runs.
        alpha: the significance level of the test, after correction.
        power: the probability with which the effect is to be found.
        is_paired: whether runs are paired by seed.

    Returns:
        The number of pairs, or of runs on each side; None if the effect is zero or NaN, if `std` is
        zero, which says nothing about how runs vary, or if 100,000 runs aren't enough.
    """
    minimum = runs_to_decide(1, alpha, is_paired)
    size = abs(standardized(effect, std))
    if minimum is None or not 0 < size < inf:
        return None
    numbers = range(2, _MAX_RUNS)
    place = bisect_left(numbers, power, key=lambda n: t_power(n, size, alpha, is_paired))
    return max(numbers[place], minimum) if place < len(numbers) else None


def t_power(n: int, size: float, alpha: float, is_paired: bool) -> float:
    """Return the power of the two-sided t-test for an effect of `size` standard deviations.

    Args:
        n: the number of pairs, or of runs on each side.
        size: the standardized effect.
        alpha: the significance level.
        is_paired: whether runs are paired.

    Returns:
        The probability of a significant difference of the right sign.
    """
    degrees = n - 1 if is_paired else 2 * n - 2
    # SciPy's noncentral t ends at a shift of 35. Clipping only lowers the power, where n is tiny.
    shift = min(size * (n if is_paired else n / 2) ** 0.5, 30)
    return float(1 - nctdtr(degrees, shift, stdtrit(degrees, 1 - alpha / 2)))
