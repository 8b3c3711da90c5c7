"""The best objective to expect of a sweep with fewer trials."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from caduceus.runs.goal import Goal

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ExpectedBest:
    """The best of n trials drawn from N, for each n.

    Attributes:
        trials: n = 1 .. N.
        mean: (N,), the expected best objective of n trials.
        std: (N,), its standard deviation over the draws; 0 at N.
    """

    trials: "NDArray[np.int_]"
    mean: "NDArray[np.float64]"
    std: "NDArray[np.float64]"


def expected_best(objectives: Sequence[float], goal: Goal) -> ExpectedBest:
    """Return the expected best objective of n trials, exact over all ways to draw them.

    This is the expected validation performance of Dodge et al. 2019, "Show Your Work", as Tang et
    al. 2020, "Showing Your Work Doesn't Always Work", correct it: n trials are drawn without
    replacement, which gives an unbiased estimate for new trials; drawing with replacement, as Dodge
    et al. do, is biased low. `std` is the standard deviation over these draws. They share more
    trials the larger n is, so it is too small for new trials, and 0 at N, where there is one draw.

    As an estimate for new trials it is valid only for independent trials, as in random search.
    Trials of a Bayesian search depend on each other: for them the curve describes only a random
    order of the same trials.

    Args:
        objectives: N finite objectives, in any order.
        goal: which objectives are better.
    """
    ascending = np.sort(-goal.sign * np.asarray(objectives, dtype=float))
    # Scaled below 1, as squares of the objectives of diverged runs would overflow.
    exponent = np.frexp(np.abs(ascending).max(initial=0.0))[1]
    ascending = np.ldexp(ascending, -exponent)
    count = len(ascending)
    trials = np.arange(1, count + 1)
    mean, std = np.empty(count), np.empty(count)
    # P(the best of n has this rank) = C(rank - 1, n - 1) / C(N, n), updated from n to n + 1, as the
    # binomial coefficients themselves would overflow.
    chance = np.full(count, 1 / max(count, 1))
    for n in trials:
        mean[n - 1] = chance @ ascending
        std[n - 1] = np.sqrt(chance @ (ascending - mean[n - 1]) ** 2)
        if n < count:
            chance = chance * np.maximum(trials - n, 0) * ((n + 1) / (n * (count - n)))
    return ExpectedBest(trials, np.ldexp(-goal.sign * mean, exponent), np.ldexp(std, exponent))
