"""How many runs can decide what."""

from math import isfinite

from scipy.special import nctdtr, stdtrit

from caduceus.statistics.randomization import least_sign_flip_p, least_split_p

_MOST_RUNS = 100_000


def minimum_p(n: int, m: int | None = None) -> float:
    """The smallest two-sided p that a test of n pairs can give, or of n against m unpaired runs.

    All signs alike is one way of 2^n, and so is its opposite: 2 / 2^n. All of one side above the
    other is one of C(n + m, n) ways to split: 2 / C(n + m, n).
    """
    return least_sign_flip_p(n) if m is None else least_split_p(n, m)


def runs_to_decide(comparisons: int = 1, alpha: float = 0.05, is_paired: bool = True) -> int | None:
    """The fewest runs that can decide the hardest of so many comparisons, corrected by Holm.

    They are pairs, or unpaired the runs of each side. None if no number can, as p by drawn
    permutations has a least value: more than a few hundred comparisons.
    """
    for n in range(1, 2_000):
        if minimum_p(n, None if is_paired else n) * comparisons <= alpha:
            return n
    return None


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
    if least is None or not effect or not isfinite(effect):
        return None
    if not std > 0:
        return least if std == 0 else None
    low, high = 1, 2
    while _power(high, abs(effect / std), alpha, is_paired) < power:
        low, high = high, 2 * high
        if high > _MOST_RUNS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if _power(middle, abs(effect / std), alpha, is_paired) < power:
            low = middle
        else:
            high = middle
    return max(high, least)


def _power(n: int, size: float, alpha: float, is_paired: bool) -> float:
    """Of the two-sided t-test of n pairs, or n runs each side, for an effect of `size` std."""
    degrees = n - 1 if is_paired else 2 * n - 2
    shift = size * (n if is_paired else n / 2) ** 0.5
    limit = stdtrit(degrees, 1 - alpha / 2)
    return float(1 - nctdtr(degrees, shift, limit) + nctdtr(degrees, shift, -limit))
