"""How many runs can decide what."""

from bisect import bisect_left
from math import isinf

from scipy.special import nctdtr, stdtrit

from caduceus.statistics.randomization import least_sign_flip_p, least_split_p
from caduceus.statistics.samples import standardized

_MOST_RUNS = 100_000


def minimum_p(n: int, m: int | None = None) -> float:
    """The smallest two-sided p that a test of n pairs can give, or of n against m unpaired runs.

    All signs alike is one way of 2^n, and so is its opposite: 2 / 2^n. All of one side above the
    other is one of C(n + m, n) ways to split: 2 / C(n + m, n).
    """
    return least_sign_flip_p(n) if m is None else least_split_p(n, m)


def runs_to_decide(comparisons: int = 1, alpha: float = 0.05, is_paired: bool = True) -> int | None:
    """The fewest runs that can decide the hardest of so many comparisons, corrected by Holm.

    They are pairs, or unpaired the runs of each side. None if no number can: of more runs than
    can be gone through, p has a least value of its own.
    """
    numbers = range(1, 22)
    least = (minimum_p(n, None if is_paired else n) * comparisons for n in numbers)
    return next((n for n, p in zip(numbers, least, strict=True) if p <= alpha), None)


def runs_needed(
    effect: float, std: float, alpha: float = 0.05, power: float = 0.8, is_paired: bool = True
) -> int | None:
    """The fewest runs with which an effect is found with the probability `power`.

    By the power of the two-sided t-test (Cohen 1988, §2), but no fewer than the permutation test
    needs to decide at all.

    Args:
        effect: the mean difference to find, in the unit of `std`.
        std: the standard deviation of the paired differences, or, unpaired, of a run.
        alpha: the level of the test, after correction.
        power: the wanted probability.
        is_paired: whether runs are paired by seed; if not, it's the runs of each side.

    Returns:
        The number, or None if there is no effect, or 100,000 runs aren't enough.
    """
    least = runs_to_decide(1, alpha, is_paired)
    size = abs(standardized(effect, std))
    if least is None or not size > 0:
        return None
    if isinf(size):
        return least
    numbers = range(2, _MOST_RUNS)
    place = bisect_left(numbers, power, key=lambda n: t_power(n, size, alpha, is_paired))
    return max(numbers[place], least) if place < len(numbers) else None


def t_power(n: int, size: float, alpha: float, is_paired: bool) -> float:
    """The power of the two-sided t-test of n pairs, or n runs each side, for `size` std.

    A difference that is found on the wrong side doesn't count.
    """
    degrees = n - 1 if is_paired else 2 * n - 2
    shift = min(size * (n if is_paired else n / 2) ** 0.5, 30)  # scipy's nctdtr ends at 35
    return float(1 - nctdtr(degrees, shift, stdtrit(degrees, 1 - alpha / 2)))
