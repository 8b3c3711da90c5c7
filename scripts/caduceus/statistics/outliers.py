"""Find outliers."""

import numpy as np

from caduceus.statistics.samples import Values


def outlier_limit(values: Values) -> float:
    """Return the largest of finite `values`, (n,), that isn't an outlier.

    An outlier lies more than three interquartile ranges above the upper quartile ("far out", Tukey
    1977). At most a tenth of the values are outliers: more would be a group of their own.
    """
    array = np.sort(np.asarray(values, dtype=float))
    lower, upper = np.quantile(array, (0.25, 0.75))
    fence = max(upper + 3 * (upper - lower), np.quantile(array, 0.9, method="lower"))
    return float(array[array <= fence][-1])
