"""Test whether a result rises or falls with a setting."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from caduceus.errors import ResultError
from caduceus.statistics.comparisons import Comparison, compare_by_seed
from caduceus.statistics.cross_validation import corrected_t_test
from caduceus.statistics.estimates import estimate_mean
from caduceus.statistics.randomization import joint_sign_flips, minimum_sign_flip_p, sign_flips
from caduceus.statistics.samples import (
    Array,
    Values,
    all_equal,
    finite,
    midranks,
    standardized,
    without_rounding_errors,
)

TrendKind = Literal["monotone", "slope", "steps"]


@dataclass(frozen=True)
class Trend:
    """The trend of a result over the levels of a setting.

    Attributes:
        n: the number of seeds with at least two levels; of the kind "steps", those of the step that
            has the fewest.
        kind: what was tested, see `trend`.
        correlation: Spearman's rank correlation, from -1 to 1, averaged over the seeds.
        effect: the correlation; of the kind "slope" the mean slope, and of the kind "steps" the
            difference of the step that supports the trend least.
        low: the lower end of the effect's interval by Student's t; NaN if n is 1.
        high: its upper end.
        size: the effect in standard deviations.
        p_greater: one-sided p of a rising trend.
        p_less: one-sided p of a falling trend.
        p_not_greater: one-sided p of anything that a rising trend excludes, such as a step that
            falls.
        p_not_less: one-sided p of anything that a falling trend excludes.
        p: two-sided p, twice the smallest of these.
        minimum_p: the smallest two-sided p that this number of seeds can give.
        steps: each level compared with the one before it.
        levels: the levels that have values, in rising order.
        is_constant: whether all seeds gave the same value at each level, or the same difference
            at each step, so that p is 1.
    """

    n: int
    kind: TrendKind
    correlation: float
    effect: float
    low: float
    high: float
    size: float
    p_greater: float
    p_less: float
    p_not_greater: float
    p_not_less: float
    p: float
    minimum_p: float
    steps: tuple[Comparison, ...] = field(repr=False)
    levels: tuple[float, ...]
    is_constant: bool = False


def trend(
    values: Any,
    levels: Values,
    confidence: float = 0.95,
    seed: int = 0,
    kind: TrendKind = "monotone",
    folds: int | None = None,
) -> Trend:
    """Test whether values rise or fall with the levels of a setting.

    All tests flip signs (Fisher 1935) of whole seeds, so that the values of one seed may depend on
    each other in any way.

    Args:
        values: (seeds, levels), NaN where a run is missing.
        levels: (levels,), in any order.
        confidence: the confidence level of the interval.
        seed: seeds the random signs, which are drawn if there are more than 20 seeds.
        kind: what a rising trend is, and likewise a falling one.

            - "monotone": the mean of each level is above that of the level before it, and the
              seeds' rank correlation (Spearman 1904; 0 if a seed's values are all equal) is
              positive on average. The latter is tested; of the steps only the signs count. A result
              that rises and then falls has no such trend.
            - "slope": the slope of a straight line, fitted to each seed by least squares, is
              positive on average.
            - "steps": each level is above the one before it. Every step is tested, and the one with
              the largest p decides (the intersection-union test, Berger 1982).

            What speaks against "monotone" and "steps" is a step in the other direction, and against
            "monotone" also the correlation. These are tested jointly: the smallest of their
            standardized means is compared with its values under all flips (Westfall & Young 1993).
        folds: the k of a cross-validation whose folds the seeds are. Tests are then corrected
            t-tests (see `cross_validation`), joint ones take the smallest p times their number, and
            "monotone" tests slopes: rank correlations that are all 1 have no variance.

    Raises:
        ResultError: the shapes don't fit, a value is infinite, or no seed has two levels.
    """
    array, setting = np.asarray(values, dtype=float), finite(levels)
    if array.ndim != 2 or array.shape[1] != len(setting):
        raise ResultError(f"values must be (seeds, {len(setting)}), got shape {array.shape}")
    finite(array[~np.isnan(array)])
    array, setting = _by_level(array, setting)
    array = array[(~np.isnan(array)).sum(axis=1) > 1]
    if not len(array):
        raise ResultError("a trend needs a seed with at least two levels")
    rows = [(row[~np.isnan(row)], setting[~np.isnan(row)]) for row in array]
    correlations = np.array([_spearman(y, x) for y, x in rows])
    mean = estimate_mean(correlations, confidence, folds)
    steps = [
        compare_by_seed(
            _by_seed(after), _by_seed(before), confidence=confidence, seed=seed, folds=folds
        )
        for before, after in zip(array.T[:-1], array.T[1:], strict=True)
    ]
    differences = _differences(array)
    n = mean.n
    low, high = (max(mean.low, -1.0), min(mean.high, 1.0)) if n > 1 else (mean.low, mean.high)
    effect, size = mean.value, standardized(mean.value, mean.std)
    minimum_p = minimum_sign_flip_p(n) if folds is None else float(n < 2)
    slopes = np.array([_slope(y, x) for y, x in rows])
    if kind == "slope":
        mean = estimate_mean(slopes, confidence, folds)
        effect, low, high = mean.value, mean.low, mean.high
        size = standardized(mean.value, mean.std)
        greater, less = not_less, not_greater = _test(slopes, seed, folds)
    elif kind == "steps":
        sign = 1 if effect >= 0 else -1
        weakest = min(steps, key=lambda step: sign * step.effect)
        n, minimum_p = min(step.n for step in steps), max(step.minimum_p for step in steps)
        effect, low, high, size = weakest.effect, weakest.low, weakest.high, weakest.effect_size
        greater, less = max(s.p_greater for s in steps), max(s.p_less for s in steps)
        not_less, not_greater = _test_jointly(differences, seed, folds)
    else:
        tested = correlations if folds is None else slopes
        greater, less = _test(tested, seed, folds)
        greater = greater if all(step.effect > 0 for step in steps) else 1.0
        less = less if all(step.effect < 0 for step in steps) else 1.0
        together = np.column_stack((tested, differences))
        not_less, not_greater = _test_jointly(together, seed, folds)
    columns = [column[~np.isnan(column)] for column in array.T]
    several = [column for column in columns if len(column) > 1]
    is_constant = bool(several) and all(map(all_equal, several))
    is_constant |= all("differences" in step.equal for step in steps)
    if is_constant:
        greater = less = not_greater = not_less = 1.0
    return Trend(
        n=n,
        kind=kind,
        correlation=float(correlations.mean()),
        effect=effect,
        low=low,
        high=high,
        size=size,
        p_greater=greater,
        p_less=less,
        p_not_greater=not_greater,
        p_not_less=not_less,
        p=min(1.0, 2 * min(greater, less, not_greater, not_less)),
        minimum_p=minimum_p,
        steps=tuple(steps),
        levels=tuple(map(float, setting)),
        is_constant=is_constant,
    )


def _test(values: Array, seed: int, folds: int | None) -> tuple[float, float]:
    """Return one-sided p of the mean of `values`, (n,), being greater, and less, than zero."""
    return sign_flips(values, seed) if folds is None else corrected_t_test(values, folds)


def _test_jointly(values: Array, seed: int, folds: int | None) -> tuple[float, float]:
    """Return p of the largest mean of columns, (n, m), being greater, the smallest less, than 0."""
    if folds is None:
        return joint_sign_flips(values, seed)
    greater, less = zip(*(corrected_t_test(column, folds) for column in values.T), strict=True)
    return min(1.0, min(greater) * len(greater)), min(1.0, min(less) * len(less))


def _by_level(values: Array, levels: Array) -> tuple[Array, Array]:
    """Return the columns of the levels that have values, rising; those of equal levels averaged."""
    kept = ~np.isnan(values).all(axis=0)
    values, levels = values[:, kept], levels[kept]
    ordered = np.unique(levels)
    columns = [_row_means(values[:, levels == level]) for level in ordered]
    return np.column_stack(columns) if columns else values, ordered


def _row_means(values: Array) -> Array:
    """Return the mean of each row without NaN; NaN if it has nothing else."""
    counts = (~np.isnan(values)).sum(axis=1)
    sums = np.nansum(values, axis=1)
    means: Array = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means


def _by_seed(column: Array) -> dict[int, float]:
    return {row: float(value) for row, value in enumerate(column) if not np.isnan(value)}


def _differences(values: Array) -> Array:
    """Return each seed's step from level to level, (seeds, levels - 1); 0 where one is missing."""
    scale = float(np.nanmax(np.abs(values)))
    steps = np.nan_to_num(np.diff(values, axis=1))
    return np.column_stack([without_rounding_errors(step, scale) for step in steps.T])


def _slope(values: Array, levels: Array) -> float:
    """Return the slope of the least-squares line through values, (n,), over levels, (n,)."""
    centred = levels - levels.mean()
    return float(centred @ values / (centred @ centred))


def _spearman(values: Array, levels: Array) -> float:
    """Return Spearman's rank correlation of two arrays (n,); 0 if one of them is constant."""
    one, other = midranks(values), midranks(levels)
    one, other = one - one.mean(), other - other.mean()
    size = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / size) if size else 0.0
