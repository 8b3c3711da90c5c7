"""A Gaussian process, fitted to a few hundred points.

The kernel is Matern 5/2 with a length for each group of columns (Rasmussen & Williams, "Gaussian
Processes for Machine Learning", 2006, equation 4.17). The logarithms of lengths, variance and noise
have normal priors, and are set to the mode of their posterior with the gradient of equation 5.9.

It needs numpy alone: importing `scipy.optimize` takes several times as long as a fit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Objective = Callable[[Array], tuple[float, Array]]

# Mean and standard deviation of the logarithms' priors, for columns in [0, 1] and values of
# variance 1. Among a few others these gave the least regret in benchmarks/sweep_search.py.
_LENGTH, _VARIANCE, _NOISE = (-0.7, 0.7), (0.0, 1.0), (-9.0, 3.0)
_LEAST_NOISE = 1e-6  # keeps the covariance of points that lie close together invertible
_MOST_STEPS = 40
_LARGEST_STEP = 2.0  # of a logarithm, in a step of the fit
_LEAST_RATE = 1e-3  # of a step, shorter than which the fit ends
_LEAST_GAIN = 1e-3  # of the log posterior, in a step of the fit


@dataclass(frozen=True)
class GaussianProcess:
    """A fitted process.

    Attributes:
        points: (points, columns).
        scales: by which each column is multiplied, the inverse of its length (columns,).
        variance: of the values, before any is known.
        noise: the variance of a value around the function.
        inverse: of the Cholesky factor of the points' covariance (points, points).
        weights: of each point's covariance in the mean (points,); 0 if its value isn't known.
    """

    points: "Array"
    scales: "Array"
    variance: float
    noise: float
    inverse: "Array"
    weights: "Array"

    def predict(self, at: "Array") -> tuple["Array", "Array"]:
        """Return the means and standard deviations of the function at (places, columns)."""
        covariance = self._covariance(at, self.points)
        explained = ((covariance @ self.inverse.T) ** 2).sum(axis=1)
        variance = np.maximum(self.variance - explained, 1e-12 * self.variance)
        return covariance @ self.weights, np.sqrt(variance)

    def with_running(self, points: "Array") -> "GaussianProcess":
        """Return the process after the value at each of (points, columns) was what it predicts.

        Means stay as they are, and deviations become smaller near the points. This is the kriging
        believer (Ginsbourger, Le Riche & Carraro, "Kriging Is Well-Suited to Parallelize
        Optimization", 2010).
        """
        if not len(points):
            return self
        everything = np.concatenate((self.points, points))
        covariance = self._covariance(everything, everything)
        inverse = _inverse_factor(covariance, self.noise)
        weights = np.concatenate((self.weights, np.zeros(len(points))))
        return GaussianProcess(everything, self.scales, self.variance, self.noise, inverse, weights)

    def _covariance(self, one: "Array", other: "Array") -> "Array":
        one, other = one * self.scales, other * self.scales
        squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
        return self.variance * _matern(np.maximum(squares, 0.0))


def fit(points: "Array", groups: "NDArray[np.int_]", values: "Array") -> GaussianProcess:
    """Fit a Gaussian process.

    Args:
        points: (points, columns).
        groups: the group of each column, counted from 0 (columns,); a group has one length.
        values: of the points, with a mean of 0 and a variance of 1 (points,).
    """
    count = int(groups.max()) + 1
    squares = np.stack(
        [
            ((points[:, None, groups == group] - points[:, groups == group]) ** 2).sum(axis=2)
            for group in range(count)
        ]
    ).reshape(count, -1)
    prior = np.array([_LENGTH] * count + [_VARIANCE, _NOISE])

    def cost(logs: "Array") -> tuple[float, "Array"]:
        return _cost(logs, squares, values, prior)

    logs = _minimize(cost, prior[:, 0])
    variance, noise = float(np.exp(logs[-2])), float(np.exp(logs[-1]))
    covariance = variance * _matern(np.exp(-2 * logs[:count]) @ squares)
    inverse = _inverse_factor(covariance.reshape(len(values), -1), noise)
    scales = np.exp(-logs[:count])[groups]
    return GaussianProcess(points, scales, variance, noise, inverse, inverse.T @ (inverse @ values))


def _matern(squares: "Array") -> "Array":
    """Return the correlation at these squared distances."""
    root = np.sqrt(5 * squares)
    return (1 + root + root**2 / 3) * np.exp(-root)


def _inverse_factor(covariance: "Array", noise: float) -> "Array":
    """Return the inverse of the Cholesky factor of `covariance` with noise.

    Raises:
        LinAlgError: the covariance is so large that rounding errors exceed the noise.
    """
    noisy = covariance + (noise + _LEAST_NOISE) * np.eye(len(covariance))
    return np.linalg.inv(np.linalg.cholesky(noisy))


def _cost(
    logs: "Array", squares: "Array", values: "Array", prior: "Array"
) -> tuple[float, "Array"]:
    """Return the negative log posterior, up to a constant, and its gradient.

    Args:
        logs: the logarithms of the lengths, the variance and the noise (groups + 2,).
        squares: the squared distances of all pairs of points, in each group (groups, points ** 2).
        values: (points,).
        prior: the mean and standard deviation of each logarithm (groups + 2, 2).
    """
    weights = np.exp(-2 * logs[:-2])
    variance, noise = np.exp(logs[-2:])
    root = np.sqrt(5 * (weights @ squares))
    decay = variance * np.exp(-root)
    covariance = ((1 + root + root**2 / 3) * decay).reshape(len(values), -1)
    try:
        inverse = _inverse_factor(covariance, noise)
    except np.linalg.LinAlgError:
        return np.inf, np.zeros_like(logs)
    half = inverse @ values
    solved = inverse.T @ half
    distance = (logs - prior[:, 0]) / prior[:, 1]
    cost = (half @ half + distance @ distance) / 2 - np.log(np.diag(inverse)).sum()
    # Half of the derivative by the covariance, whose own derivatives follow.
    slopes = (inverse.T @ inverse - np.outer(solved, solved)) / 2
    gradient = distance / prior[:, 1]
    gradient[:-2] += squares @ (slopes.ravel() * (1 + root) * decay) * weights * 5 / 3
    gradient[-2] += (slopes * covariance).sum()
    gradient[-1] += np.trace(slopes) * noise
    return float(cost), gradient


def _minimize(cost: "Objective", start: "Array") -> "Array":
    """Minimize a function by BFGS (Nocedal & Wright, "Numerical Optimization", 2006, chapter 6).

    Steps are halved until the cost falls enough.
    """
    at = start
    value, gradient = cost(at)
    inverse = np.eye(len(at)) / max(1.0, np.abs(gradient).max())  # of the Hessian matrix
    for number in range(_MOST_STEPS):
        step = -inverse @ gradient
        step *= min(1.0, _LARGEST_STEP / max(np.abs(step).max(), 1e-12))
        rate = 1.0
        after, slope = cost(at + step)
        while after > value + 1e-4 * rate * (step @ gradient):
            rate /= 2
            if rate < _LEAST_RATE:
                return at
            after, slope = cost(at + rate * step)
        moved, change = rate * step, slope - gradient
        gain = value - after
        at, value, gradient = at + moved, after, slope
        if gain < _LEAST_GAIN:
            break
        curvature = moved @ change
        if curvature <= 0:
            continue
        if number == 0:
            inverse = np.eye(len(at)) * curvature / (change @ change)
        turned = inverse @ change
        inverse = (
            inverse
            + (1 + change @ turned / curvature) * np.outer(moved, moved) / curvature
            - (np.outer(turned, moved) + np.outer(moved, turned)) / curvature
        )
    return at
