"""See from few values whether they may be too asymmetric for a test by sign flips."""

from collections.abc import Sequence

import numpy as np

from caduceus.statistics.samples import Values, finite

SKEWED = "they are skewed"
_LEAST_N = 6  # of fewer values the shape can't be seen
_FAR_OUT = 3  # interquartile ranges beyond a quartile (Tukey 1977)
_ERRORS = 2  # standard errors of the skewness
_REACH = 2  # standard deviations between the mean and a bound


def asymmetries(values: Values, bounds: Sequence[float | None] | None = None) -> list[str]:
    """Return what speaks against a symmetric distribution of values, in words.

    Values that are normally distributed are called skewed in about 5 % of cases, and far out in
    few. A rare value that hasn't occurred can't be seen.

    Args:
        values: the values, or paired differences, (n,); of fewer than six nothing is said.
        bounds: the least and the greatest value that they can have, None for no bound.
    """
    array, found = finite(values), []
    n, std = len(array), float(np.std(array))
    if n < _LEAST_N or not std > 1e-12 * float(np.abs(array).max()):
        return []
    lower, upper = np.quantile(array, (0.25, 0.75))
    reach = _FAR_OUT * (upper - lower)
    outside = int(((array < lower - reach) | (array > upper + reach)).sum())
    if outside:
        found.append(f"{outside} of {n} {'lies' if outside == 1 else 'lie'} far from the others")
    # The adjusted skewness G1 and its standard error for normal values (Joanes & Gill 1998).
    skewness = float(((array - array.mean()) ** 3).mean()) / std**3
    adjusted = skewness * (n * (n - 1)) ** 0.5 / (n - 2)
    error = (6 * n * (n - 1) / ((n - 2) * (n + 1) * (n + 3))) ** 0.5
    if abs(adjusted) > _ERRORS * error:
        found.append(SKEWED)
    mean = float(array.mean())
    if any(end is not None and abs(mean - end) < _REACH * std for end in bounds or ()):
        found.append("a bound of the metric is within reach")
    return found
