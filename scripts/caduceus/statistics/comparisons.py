"""Two sets of runs compared: how far apart they are, and whether noise explains it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import gammaln, stdtrit

from caduceus.errors import ResultError
from caduceus.statistics.estimates import estimate_mean
from caduceus.statistics.randomization import (
    least_sign_flip_p,
    least_split_p,
    sign_flips,
    splits,
)
from caduceus.statistics.samples import (
    Array,
    Values,
    finite,
    midranks,
    standardized,
    without_noise,
)

PairedTest = Literal["sign_flip", "wilcoxon"]
AnyTest = Literal["sign_flip", "wilcoxon", "permutation"]


@dataclass(frozen=True)
class Comparison:
    """What sets the first apart from the second, or from a value.

    Attributes:
        n: the pairs, or the runs of the first.
        n_second: the runs of the second: n if they are paired, 0 against a value.
        effect: the mean of the first less that of the second, in the unit of the values.
        low: the lower end of the effect's interval by Student's t, of unpaired runs by Welch's;
            NaN with a single run.
        high: its upper end.
        std: the standard deviation of a difference: of the pairs, or, unpaired, of a run.
        margin: the effect that the test takes for none.
        p_greater: one-sided p: how likely chance alone makes such an effect above the margin.
        p_less: the same below the margin.
        p: two-sided p, twice the smaller of them.
        minimum_p: the smallest p that so many runs can give, however large the effect.
        effect_size: the effect in standard deviations: Cohen's d_z of pairs, Hedges' g of unpaired
            runs (Lakens 2013); ±inf where nothing varies, NaN with a single run.
        improvement: the probability that a run of the first has the greater value than one of the
            second; ties count half (Mann & Whitney 1947; Agarwal et al. 2021).
        test: "sign_flip", "wilcoxon" or "permutation".
        is_paired: by seed.
    """

    n: int
    n_second: int
    effect: float
    low: float
    high: float
    std: float
    margin: float
    p_greater: float
    p_less: float
    p: float
    minimum_p: float
    effect_size: float
    improvement: float
    test: AnyTest
    is_paired: bool


def compare_paired(
    first: Values,
    second: Values,
    margin: float = 0.0,
    test: PairedTest = "sign_flip",
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """The first (n,) against the second (n,), each value against the one at the same place.

    Args:
        first: one value of each run.
        second: the values of the runs with the same seeds.
        margin: the effect that counts as none; the test asks whether the mean difference is it.
        test: "sign_flip", on the differences (Fisher 1935), or "wilcoxon", on the ranks of their
            sizes, differences of zero left out (Wilcoxon 1945). Both are exact, with ties too, if
            differences are symmetric.
        confidence: of the effect's interval.
        seed: of the signs that are drawn if there are more than 20 pairs.

    Raises:
        ResultError: the numbers of values differ, or one isn't finite.
    """
    one, other = finite(first), finite(second)
    if len(one) != len(other):
        raise ResultError(f"{len(one)} runs can't be paired with {len(other)}")
    return _of_pairs(one, other, len(other), margin, test, confidence, seed)


def compare_to_value(
    values: Values,
    value: float,
    margin: float = 0.0,
    test: PairedTest = "sign_flip",
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """`values` (n,) against a fixed value, such as a published one, as `compare_paired` does it.

    Raises:
        ResultError: there is no value, or one isn't finite.
    """
    return _of_pairs(finite(values), finite([value]), 0, margin, test, confidence, seed)


def compare_unpaired(
    first: Values,
    second: Values,
    margin: float = 0.0,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """The first (n,) against the second (m,), which were made independently.

    By permutation of Welch's t: exact if both are distributed alike but for the margin, and
    asymptotically right if they also vary differently (Janssen 1997; Chung & Romano 2013). A single
    run on either side says nothing about how runs vary: p is 1.

    Args:
        first: one value of each run.
        second: the same of the others.
        margin: the effect that counts as none; the test asks whether the means differ by it.
        confidence: of the effect's interval, by Welch's t.
        seed: of the permutations that are drawn if there are more than three million.

    Raises:
        ResultError: there is no value, or one isn't finite.
    """
    one, other = finite(first), finite(second)
    n, m = len(one), len(other)
    effect = float(one.mean() - other.mean())
    if min(n, m) < 2:
        low = high = std = size = float("nan")
        greater = less = 1.0
    else:
        low, high = _welch_interval(one, other, confidence)
        degrees = n + m - 2
        std = ((one.var(ddof=1) * (n - 1) + other.var(ddof=1) * (m - 1)) / degrees) ** 0.5
        size = standardized(effect, float(std)) * _hedges(degrees)
        greater, less = splits(one - margin, other, seed)
    return Comparison(
        n=n,
        n_second=m,
        effect=effect,
        low=low,
        high=high,
        std=float(std),
        margin=margin,
        p_greater=greater,
        p_less=less,
        p=min(1.0, 2 * min(greater, less)),
        minimum_p=least_split_p(n, m),
        effect_size=size,
        improvement=float(improvement(one, other)),
        test="permutation",
        is_paired=False,
    )


def compare_by_seed(
    first: Mapping[int, float],
    second: Mapping[int, float],
    margin: float = 0.0,
    test: AnyTest = "sign_flip",
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Runs by their seeds: paired if most have a partner, else unpaired.

    Paired, only the seeds that both have count; they must be more than half of either side's. The
    test "permutation" leaves the seeds aside. All of this goes by the seeds, not by the values.

    Args:
        first: from seed to value.
        second: the same of the others.
        margin: the effect that counts as none.
        test: of the pairs, or "permutation".
        confidence: of the effect's interval.
        seed: of what the test draws if there are very many runs.

    Raises:
        ResultError: one side has no run, or a value isn't finite.
    """
    common = sorted(first.keys() & second.keys())
    if test != "permutation" and 2 * len(common) > max(len(first), len(second)):
        pairs = [[runs[s] for s in common] for runs in (first, second)]
        return compare_paired(pairs[0], pairs[1], margin, test, confidence, seed)
    ordered = [[runs[s] for s in sorted(runs)] for runs in (first, second)]
    return compare_unpaired(ordered[0], ordered[1], margin, confidence, seed)


def improvement(first: Array, second: Array) -> Any:
    """The share (...) of pairs of `first` (..., n) and `second` (..., m) in which it is greater.

    Ties count half (Mann & Whitney 1947).
    """
    one, other = first[..., :, None], second[..., None, :]
    return ((one > other) + 0.5 * (one == other)).mean(axis=(-2, -1))


def _of_pairs(
    one: Array,
    other: Array,
    n_second: int,
    margin: float,
    test: PairedTest,
    confidence: float,
    seed: int,
) -> Comparison:
    scale = float(np.abs((*one, *other, margin)).max())
    differences = without_noise(one - other, scale)
    found = estimate_mean(differences, confidence)
    beyond = without_noise(differences - margin, scale)
    if test == "wilcoxon":
        beyond = beyond[beyond != 0]
        beyond = np.sign(beyond) * midranks(np.abs(beyond))
    greater, less = sign_flips(beyond, seed)
    return Comparison(
        n=found.n,
        n_second=n_second,
        effect=found.value,
        low=found.low,
        high=found.high,
        std=found.std,
        margin=margin,
        p_greater=greater,
        p_less=less,
        p=min(1.0, 2 * min(greater, less)),
        minimum_p=least_sign_flip_p(found.n),
        effect_size=standardized(found.value, found.std),
        improvement=float(improvement(one, other)),
        test=test,
        is_paired=n_second > 0,
    )


def _welch_interval(one: Array, other: Array, confidence: float) -> tuple[float, float]:
    """The interval of the difference of means (Welch 1947)."""
    parts = np.array([one.var(ddof=1) / len(one), other.var(ddof=1) / len(other)])
    effect = one.mean() - other.mean()
    if not parts.any():
        return float(effect), float(effect)
    degrees = parts.sum() ** 2 / (parts**2 / (len(one) - 1, len(other) - 1)).sum()
    margin = stdtrit(degrees, (1 + confidence) / 2) * parts.sum() ** 0.5
    return float(effect - margin), float(effect + margin)


def _hedges(degrees: int) -> float:
    """What makes Cohen's d unbiased (Hedges 1981)."""
    half = degrees / 2
    return float(np.exp(gammaln(half) - gammaln(half - 0.5)) / half**0.5)
