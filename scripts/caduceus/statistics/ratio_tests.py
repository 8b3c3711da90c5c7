"""Test how many times the mean of one set of runs is that of another."""

from collections.abc import Mapping
from dataclasses import replace

from caduceus.errors import ResultError
from caduceus.statistics.comparisons import Comparison, compare_by_seed
from caduceus.statistics.equivalence_tests import Equivalence, two_one_sided
from caduceus.statistics.settings import AnyTest


def compare_ratio(
    first: Mapping[int, float],
    second: Mapping[int, float],
    ratio: float,
    test: AnyTest = "sign_flip",
    confidence: float = 0.95,
    seed: int = 0,
    folds: int | None = None,
) -> Comparison:
    """Compare runs with `ratio` times others, paired as by `compare_by_seed`.

    The mean of `first` is above `ratio` times that of `second` if and only if the mean of
    first - ratio * second is above 0 (Fieller 1954), which is what is tested.

    Args:
        first: value by seed.
        second: value by seed, all above 0.
        ratio: above 0.
        test: as of `compare_by_seed`, like the others.
        confidence: the confidence level of the effect's interval.
        seed: seeds random signs or permutations.
        folds: the k of a cross-validation whose folds the seeds are.

    Raises:
        ResultError: one side has no run, a value isn't finite, or one of `second` isn't above 0.
    """
    if wrong := [value for value in second.values() if not value > 0]:
        raise ResultError(f"a ratio is to values above 0, and one is {wrong[0]:g}")
    scaled = {each: ratio * value for each, value in second.items()}
    return compare_by_seed(first, scaled, 0.0, test, confidence, seed, folds)


def ratio_equivalence(
    first: Mapping[int, float],
    second: Mapping[int, float],
    ratio: float,
    tolerance: float,
    test: AnyTest = "sign_flip",
    confidence: float = 0.95,
    seed: int = 0,
    folds: int | None = None,
) -> Equivalence:
    """Test whether the ratio of two means equals `ratio` within the tolerance.

    Uses two one-sided tests (Schuirmann 1987), of `compare_ratio` with ratio - tolerance and with
    ratio + tolerance. The tolerance of the result is in the unit of `first`.

    Args:
        first: value by seed.
        second: value by seed, all above 0.
        ratio: above 0.
        tolerance: above 0.
        test: as of `compare_by_seed`, like the others.
        confidence: the confidence level of the effect's interval.
        seed: seeds random signs or permutations.
        folds: the k of a cross-validation whose folds the seeds are.

    Raises:
        ResultError: as of `compare_ratio`.
        SpecError: the tolerance isn't positive.
    """
    unit = sum(second.values()) / len(second)
    found = two_one_sided(
        tolerance,
        lambda margin: compare_ratio(first, second, ratio + margin, test, confidence, seed, folds),
    )
    return replace(found, tolerance=tolerance * unit)
