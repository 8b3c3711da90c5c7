"""Compare methods by their ranks on several tasks.

Source: Demšar 2006, Statistical Comparisons of Classifiers over Multiple Data Sets. The task is the
unit: its methods have one value each, such as the mean over seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import factorial
from typing import Any

import numpy as np
from scipy.special import fdtrc, ndtr

from caduceus.errors import ResultError
from caduceus.statistics.corrections import holm
from caduceus.statistics.samples import Array, midranks, without_rounding_errors

LEAST_TASKS = 5  # with fewer, p values of ranks are rough, and no verdict is given


@dataclass(frozen=True)
class RankComparison:
    """The average ranks of k methods on n tasks, and whether chance explains their differences.

    Attributes:
        tasks: n.
        ranks: the average rank of each method, (k,); 1 is the best.
        chi_square: Friedman's statistic, corrected for ties (Friedman 1937); NaN if all are equal.
        f: that of Iman & Davenport 1980, which is less conservative; inf if all tasks have the same
            order, NaN if all are equal.
        degrees: the degrees of freedom of `f`, k - 1 and (k - 1)(n - 1).
        p: of `f`; not below 1/(k!)^(n - 1), the probability that all tasks have the same order.
        pairs: two-sided p of each pair of methods, (k, k), by Nemenyi's test (Nemenyi 1963), which
            holds for all pairs together.
        critical_difference: of two average ranks, by the same test at level `alpha`.
        alpha: the level.
    """

    tasks: int
    ranks: Array
    chi_square: float
    f: float
    degrees: tuple[int, int]
    p: float
    pairs: Array
    critical_difference: float
    alpha: float

    @property
    def is_decidable(self) -> bool:
        """Whether there are enough tasks for a verdict."""
        return self.tasks >= LEAST_TASKS

    @property
    def differ(self) -> bool:
        """Whether Friedman's test, of enough tasks, says that the methods differ at all."""
        return self.is_decidable and self.p <= self.alpha

    @property
    def groups(self) -> list[list[int]]:
        """The largest sets of methods that no test tells apart, each in the order of ranks.

        Without enough tasks there is none. If Friedman's test finds no difference all methods are
        one, whatever Nemenyi's says of a pair.
        """
        order = [int(place) for place in np.argsort(self.ranks, kind="stable")]
        if not self.is_decidable:
            return []
        if not self.differ:
            return [order]
        found: list[list[int]] = []
        for start, first in enumerate(order):
            group = [m for m in order[start:] if self.pairs[first, m] > self.alpha]
            group = [first, *[method for method in group if method != first]]
            if len(group) > 1 and not any(set(group) <= set(other) for other in found):
                found.append(group)
        return found


def task_ranks(values: Any, is_greater_better: bool = True) -> Array:
    """Return the ranks, (tasks, methods), of methods within each task: 1 is the best.

    Methods with equal values get the mean of their ranks.

    Args:
        values: one for each task and method, (tasks, methods).
        is_greater_better: whether the greatest value of a task is its best.

    Raises:
        ResultError: a value isn't finite, or there are none.
    """
    array = np.asarray(values, dtype=float)
    if array.ndim != 2 or not array.size or not np.isfinite(array).all():
        raise ResultError(f"ranks need finite values (tasks, methods), got shape {array.shape}")
    signed = -array if is_greater_better else array
    return np.stack(
        [midranks(without_rounding_errors(row, float(np.abs(row).max()))) for row in signed]
    )


def compare_ranks(
    values: Any, is_greater_better: bool = True, alpha: float = 0.05
) -> RankComparison:
    """Compare methods by Friedman's test of their ranks, and all pairs by Nemenyi's.

    Args:
        values: one for each task and method, (tasks, methods), of two methods or more.
        is_greater_better: whether the greatest value of a task is its best.
        alpha: the level of the critical difference.

    Raises:
        ResultError: a value isn't finite, or there are fewer than two methods.
    """
    ranks = task_ranks(values, is_greater_better)
    n, k = ranks.shape
    if k < 2:
        raise ResultError("ranks need two methods or more")
    average: Array = ranks.mean(axis=0)
    # The variance of ranks within tasks, which ties reduce.
    within = ((ranks - (k + 1) / 2) ** 2).sum() / (n * (k - 1))
    between = n * ((average - (k + 1) / 2) ** 2).sum()
    degrees = (k - 1, (k - 1) * (n - 1))
    chi_square = f = float("nan")
    p = 1.0
    if within > 0:
        chi_square = float(between / within)
        rest = n * (k - 1) - chi_square
        f = (n - 1) * chi_square / rest if rest > 1e-9 * n else float("inf")
        least = 1 / factorial(k) ** (n - 1)
        p = 1.0 if n < 2 else max(float(fdtrc(*degrees, f)), least)
    error = _standard_error(n, k)
    from scipy.stats import studentized_range  # the import takes half a second

    first, second = np.triu_indices(k, 1)
    distances = np.abs(average[first] - average[second]) / error * 2**0.5
    pairs = np.ones((k, k))
    pairs[first, second] = pairs[second, first] = studentized_range.sf(distances, k, np.inf)
    critical = _studentized_range(alpha, k) / 2**0.5 * error
    return RankComparison(n, average, chi_square, f, degrees, p, pairs, critical, alpha)


@cache
def _studentized_range(alpha: float, k: int) -> float:
    """Return the range of k standard normal values that is exceeded with probability `alpha`."""
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - alpha, k, np.inf))


def compare_with_control(ranks: RankComparison, control: int) -> Array:
    """Return two-sided p, (k,), of each method's rank against a control's, corrected by Holm.

    The control, whose own p is 1, must be chosen before the results are seen.

    Args:
        ranks: of the methods.
        control: the place of the control.
    """
    error = _standard_error(ranks.tasks, len(ranks.ranks))
    others = [place for place in range(len(ranks.ranks)) if place != control]
    z = np.abs(ranks.ranks[others] - ranks.ranks[control]) / error
    p = np.ones(len(ranks.ranks))
    p[others] = holm(2 * ndtr(-z))
    return p


def _standard_error(n: int, k: int) -> float:
    """Return the standard error of the difference of two average ranks without ties."""
    return float((k * (k + 1) / (6 * n)) ** 0.5)


def bayesian_signed_rank(
    differences: Sequence[float] | Array,
    equal_within: float = 0.0,
    samples: int = 50_000,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Return the probabilities that a method is better, as good, and worse over all tasks.

    The Bayesian signed-rank test (Benavoli, Corani, Demšar & Zaffalon 2017): the weights of tasks
    have a Dirichlet prior, with half the strength of one task on no difference. Without a
    difference anywhere, and nothing that counts as equal, each method is better in half of cases.

    Args:
        differences: its value minus the other's on each task, (tasks,), where more is better.
        equal_within: differences of up to this size are none in practice.
        samples: the number of draws from the posterior.
        seed: seeds them.
    """
    sizes = np.array([0.0, *differences])
    sums = sizes[:, None] + sizes
    rounding = 1e-12 * float(np.abs(sums).max())
    shares = []
    generator = np.random.default_rng(seed)
    weights = generator.dirichlet([0.5, *[1.0] * (len(sizes) - 1)], samples)
    for side in (sums, -sums):
        is_tie = np.abs(side - 2 * equal_within) <= rounding
        above = ((side > 2 * equal_within) & ~is_tie) + 0.5 * is_tie
        shares.append(((weights @ above) * weights).sum(axis=1))
    better, worse = shares
    if not equal_within:
        probability = float(((better > worse) + 0.5 * (better == worse)).mean())
        return probability, 0.0, 1 - probability
    most = np.stack([better, 1 - better - worse, worse])
    counts = np.bincount(most.argmax(axis=0), minlength=3) / samples
    return float(counts[0]), float(counts[1]), float(counts[2])
