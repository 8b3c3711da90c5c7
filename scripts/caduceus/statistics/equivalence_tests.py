"""Test whether runs equal a value, a published mean or other runs, within a tolerance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from caduceus.errors import SpecError
from caduceus.statistics.comparisons import Comparison, compare_by_seed, compare_to_value
from caduceus.statistics.published_means import PublishedMean, compare_to_published
from caduceus.statistics.samples import Values
from caduceus.statistics.settings import AnyTest, PairedTest


@dataclass(frozen=True)
class Equivalence:
    """The result of two one-sided tests (TOST, Schuirmann 1987).

    Attributes:
        comparison: the comparison with the value or the other runs, with a margin of 0.
        tolerance: the largest difference that counts as equal, in the unit of the values.
        p_within: p of the claim that the difference is within the tolerance: the larger of the
            one-sided p of being above -tolerance and of being below +tolerance.
        p_beyond: p of the claim that it is outside: the smaller of the one-sided p of being below
            -tolerance and of being above +tolerance. Either of these can err if the tolerance is
            small compared with the noise, so that it must be doubled, as `decide` does. `p_within`
            needn't: the larger of two is small only if both are.
        minimum_p: the smallest p that this number of runs can give: of `p_within`, if it is smaller
            than twice `p_beyond`, else of that.
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
    folds: int | None = None,
) -> Equivalence:
    """Test whether the mean of `values`, (n,), equals `value` within the tolerance.

    Uses two one-sided tests (Schuirmann 1987). A difference that isn't significant doesn't show
    equality; a small `p_within` does. Arguments are those of `compare_to_value`.

    Raises:
        ResultError: there are no values, or one isn't finite.
        SpecError: the tolerance isn't positive.
    """
    return two_one_sided(
        tolerance,
        lambda margin: compare_to_value(values, value, margin, test, confidence, seed, folds),
    )


def equivalence_to_published(
    values: Values,
    published: PublishedMean,
    tolerance: float,
    confidence: float = 0.95,
    folds: int | None = None,
) -> Equivalence:
    """Test whether the mean of `values`, (n,), equals a published mean within the tolerance.

    Uses two one-sided Welch's t-tests; see `compare_to_published`.

    Raises:
        ResultError: there are no values, or one isn't finite.
        SpecError: the tolerance isn't positive.
    """
    return two_one_sided(
        tolerance,
        lambda margin: compare_to_published(values, published, margin, confidence, folds),
    )


def equivalence_by_seed(
    first: Mapping[int, float],
    second: Mapping[int, float],
    tolerance: float,
    test: AnyTest = "sign_flip",
    confidence: float = 0.95,
    seed: int = 0,
    folds: int | None = None,
) -> Equivalence:
    """Test whether two sets of runs have equal means within the tolerance.

    Uses two one-sided tests (Schuirmann 1987). `first` and `second` map seeds to values; they are
    paired like in `compare_by_seed`, which takes the same arguments.

    Raises:
        ResultError: one side has no run, or a value isn't finite.
        SpecError: the tolerance isn't positive.
    """
    return two_one_sided(
        tolerance,
        lambda margin: compare_by_seed(first, second, margin, test, confidence, seed, folds),
    )


def two_one_sided(tolerance: float, compare: Callable[[float], Comparison]) -> Equivalence:
    """Return the result of two one-sided tests.

    Args:
        tolerance: the largest difference that counts as equal.
        compare: compares with a margin: minus the tolerance, 0 and the tolerance.

    Raises:
        SpecError: the tolerance isn't positive.
    """
    if not tolerance > 0:
        raise SpecError(f"a tolerance must be positive, got {tolerance}")
    lower, difference, upper = (compare(margin) for margin in (-tolerance, 0.0, tolerance))
    inside = max(lower.p_greater, upper.p_less)
    beyond = min(lower.p_less, upper.p_greater)
    minimum_p = difference.minimum_p / (2 if inside < 2 * beyond else 1)
    return Equivalence(difference, tolerance, inside, beyond, minimum_p)
