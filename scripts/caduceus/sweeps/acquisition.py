"""The value of a trial to a search: the logarithm of its expected improvement.

Where hardly any improvement is expected, the logarithm still says where more is (Ament et al.,
"Unexpected Improvements to Expected Improvement for Bayesian Optimization", NeurIPS 2023).
"""

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Of the complementary error function, with a relative error below 1.2e-7 (Press et al., "Numerical
# Recipes", 1992, section 6.2). Importing `scipy.special` takes longer than a whole suggestion.
_COEFFICIENTS = (
    *(-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806),
    *(0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277),
)
_FAR = -20.0  # standard deviations, below which the difference would be lost in rounding errors


def log_expected_improvement(mean: "Array", deviation: "Array", best: float) -> "Array":
    """Return the log of the mean of max(`best` - value, 0), for normally distributed values.

    Args:
        mean: of the value at each place (places,).
        deviation: its standard deviation, above 0 (places,).
        best: the least value so far.
    """
    z = (best - mean) / deviation
    log_density = -(z**2) / 2 - math.log(2 * math.pi) / 2
    # With the density f and distribution F of a normal variable, the improvement is f(z) + z F(z)
    # deviations. For z < 0 both terms are nearly equal, so f(z) is taken out.
    rest = 1 - np.abs(z) * _tail_ratio(np.abs(z))
    below = log_density + np.where(
        z < _FAR, -2 * np.log(np.maximum(-z, 1.0)), np.log(np.maximum(rest, 1e-12))
    )
    above = np.log(np.maximum(np.exp(log_density) * rest + z, 1e-300))
    return np.where(z < 0, below, above) + np.log(deviation)


def _tail_ratio(z: "Array") -> "Array":
    """Return (1 - F(z)) / f(z) of the standard normal distribution, for z >= 0."""
    t = 1 / (1 + z / math.sqrt(8))
    return t * np.exp(np.polynomial.polynomial.polyval(t, _COEFFICIENTS)) * math.sqrt(math.pi / 2)
