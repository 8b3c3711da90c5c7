"""What a sweep could expect to find with fewer trials."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from caduceus.runs.goal import Goal

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ExpectedBest:
    """The best of n trials that are drawn from N, for each n.

    Attributes:
        trials: n = 1 .. N.
        mean: the expected best objective after n of them.
        std: its standard deviation from one draw to another; 0 at N.
    """

    trials: "NDArray[np.int_]"
    mean: "NDArray[np.float64]"
    std: "NDArray[np.float64]"


def expected_best(objectives: Sequence[float], goal: Goal) -> ExpectedBest:
    """The expected best objective against the number of trials, exact over all ways to draw them.

    This is the expected validation performance of Dodge et al. 2019, "Show Your Work", as Tang et
    al. 2020, "Showing Your Work Doesn't Always Work", correct it: n trials are drawn without
    replacement, which gives an unbiased estimate for new trials, where Dodge's n draws with
    replacement fall short of it. `std` is that among the draws; as these share trials more and more
    with growing n, it is too small for new trials, and 0 at N, where there is one draw.

    As an estimate for new trials it holds only if the trials were drawn independently, as by random
    search. Those of a Bayesian search depend on each other: for them it says no more than what a
    random order of these very trials would have given.

    Args:
        objectives: N finite objectives, in any order.
        goal: which objectives are better.
    """
    ascending = np.sort(-goal.sign * np.asarray(objectives, dtype=float))
    # Squares of what a run that diverged has left would overflow.
    exponent = np.frexp(np.abs(ascending).max(initial=0.0))[1]
    ascending = np.ldexp(ascending, -exponent)
    count = len(ascending)
    trials = np.arange(1, count + 1)
    mean, std = np.empty(count), np.empty(count)
    # The chance that the best of n is the one at each rank, C(rank - 1, n - 1) / C(N, n), is found
    # from that for n - 1: the binomial coefficients themselves would overflow.
    chance = np.full(count, 1 / max(count, 1))
    for n in trials:
        mean[n - 1] = chance @ ascending
        std[n - 1] = np.sqrt(chance @ (ascending - mean[n - 1]) ** 2)
        if n < count:
            chance = chance * np.maximum(trials - n, 0) * ((n + 1) / (n * (count - n)))
    return ExpectedBest(trials, np.ldexp(-goal.sign * mean, exponent), np.ldexp(std, exponent))
