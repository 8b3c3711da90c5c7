"""Whether runs reach a value, or each other, within a tolerance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from caduceus.errors import SpecError
from caduceus.statistics.comparisons import (
    AnyTest,
    Comparison,
    PairedTest,
    compare_by_seed,
    compare_to_value,
)
from caduceus.statistics.samples import Values


@dataclass(frozen=True)
class Equivalence:
    """What two one-sided tests say.

    Attributes:
        comparison: the difference from the value, or from the others.
        tolerance: the greatest difference that still counts as the same.
        p_within: one-sided p of the claim that the difference is within the tolerance: the greater
            of the p that it is above the lower end, and below the upper one.
        p_beyond: one-sided p of the claim that it is beyond: the smaller of the p that it is below
            the lower end, and above the upper one. Of a tolerance that is small beside the noise
            both can err, so that it counts twice, as `decide` does it.
        minimum_p: the smallest two-sided p that so many runs can give.
    """

    comparison: Comparison
    tolerance: float
    p_within: float
    p_beyond: float
    minimum_p: float


def equivalence(
    values: Values,
    value: float,
    tolerance: float,
    test: PairedTest = "sign_flip",
    confidence: float = 0.95,
    seed: int = 0,
) -> Equivalence:
    """Whether the mean of `values` (n,) is `value` within the tolerance (Schuirmann 1987).

    Not to find a difference doesn't prove that there is none; this does, if `p_within` is small.

    Raises:
        ResultError: there is no value, or one isn't finite.
        SpecError: the tolerance isn't positive.
    """
    return _within(
        tolerance, lambda margin: compare_to_value(values, value, margin, test, confidence, seed)
    )


def equivalence_by_seed(
    first: Mapping[int, float],
    second: Mapping[int, float],
    tolerance: float,
    test: AnyTest = "sign_flip",
    confidence: float = 0.95,
    seed: int = 0,
) -> Equivalence:
    """Whether the first is like the second within the tolerance, each from seed to value.

    Raises:
        ResultError: one side has no run, or a value isn't finite.
        SpecError: the tolerance isn't positive.
    """
    return _within(
        tolerance, lambda margin: compare_by_seed(first, second, margin, test, confidence, seed)
    )


def _within(tolerance: float, compare: Callable[[float], Comparison]) -> Equivalence:
    if not tolerance > 0:
        raise SpecError(f"a tolerance is positive, got {tolerance}")
    lower, plain, upper = (compare(margin) for margin in (-tolerance, 0.0, tolerance))
    return Equivalence(
        plain,
        tolerance,
        p_within=max(lower.p_greater, upper.p_less),
        p_beyond=min(lower.p_less, upper.p_greater),
        minimum_p=plain.minimum_p,
    )
