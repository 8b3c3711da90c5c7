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
_BETWEEN = 2  # steps of the sampler from one process to the next


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
    posterior = _Posterior.of(points, groups, values)
    return posterior.process(_minimize(posterior.cost, posterior.prior[:, 0]))


def sample(
    points: "Array",
    groups: "NDArray[np.int_]",
    values: "Array",
    count: int,
    rng: "np.random.Generator",
) -> list[GaussianProcess]:
    """Draw Gaussian processes from the posterior of lengths, variance and noise.

    It starts at the mode, and draws by elliptical slice sampling (Murray, Adams & MacKay, AISTATS
    2010), which suits normal priors and has no settings.

    Args:
        points: as of `fit`.
        groups: as of `fit`.
        values: as of `fit`.
        count: how many.
        rng: draws them.
    """
    posterior = _Posterior.of(points, groups, values)
    mean, spread = posterior.prior.T
    at = _minimize(posterior.cost, mean) - mean
    likelihood = posterior.likelihood(at)
    found = []
    for number in range(1, count * _BETWEEN + 1):
        other = spread * rng.normal(size=len(at))
        least = likelihood + np.log(rng.random())
        angle = rng.uniform(0, 2 * np.pi)
        low, high = angle - 2 * np.pi, angle
        while True:
            proposed = at * np.cos(angle) + other * np.sin(angle)
            likelihood = posterior.likelihood(proposed)
            if likelihood > least:
                break
            low, high = (angle, high) if angle < 0 else (low, angle)
            angle = rng.uniform(low, high)
        at = proposed
        if number % _BETWEEN == 0:
            found.append(posterior.process(mean + at))
    return found


@dataclass(frozen=True)
class _Posterior:
    """The posterior of the logarithms of the lengths, the variance and the noise (groups + 2,).

    Attributes:
        points: as of `fit`.
        groups: as of `fit`.
        values: as of `fit`.
        squares: the squared distances of all pairs of points, in each group (groups, points ** 2).
        prior: the mean and standard deviation of each logarithm (groups + 2, 2).
    """

    points: "Array"
    groups: "NDArray[np.int_]"
    values: "Array"
    squares: "Array"
    prior: "Array"

    @classmethod
    def of(cls, points: "Array", groups: "NDArray[np.int_]", values: "Array") -> "_Posterior":
        """Return the posterior of processes with these values: see `fit`."""
        count = int(groups.max()) + 1
        squares = [
            ((points[:, None, groups == group] - points[:, groups == group]) ** 2).sum(axis=2)
            for group in range(count)
        ]
        prior = np.array([_LENGTH] * count + [_VARIANCE, _NOISE])
        return cls(points, groups, values, np.stack(squares).reshape(count, -1), prior)

    def process(self, logs: "Array") -> GaussianProcess:
        """Return the process with these logarithms."""
        variance, noise = map(float, np.exp(logs[-2:]))
        covariance = variance * _matern(np.exp(-2 * logs[:-2]) @ self.squares)
        inverse = _inverse_factor(covariance.reshape(len(self.values), -1), noise)
        weights = inverse.T @ (inverse @ self.values)
        scales = np.exp(-logs[:-2])[self.groups]
        return GaussianProcess(self.points, scales, variance, noise, inverse, weights)

    def likelihood(self, distance: "Array") -> float:
        """Return the log likelihood, up to a constant, at a distance from the prior's mean."""
        logs = self.prior[:, 0] + distance
        variance, noise = np.exp(logs[-2:])
        covariance = variance * _matern(np.exp(-2 * logs[:-2]) @ self.squares)
        try:
            factor = _factor(covariance.reshape(len(self.values), -1), noise)
        except np.linalg.LinAlgError:
            return -np.inf
        half = np.linalg.solve(factor, self.values)
        return float(-half @ half / 2 - np.log(np.diag(factor)).sum())

    def cost(self, logs: "Array") -> tuple[float, "Array"]:
        """Return the negative log posterior, up to a constant, and its gradient."""
        weights = np.exp(-2 * logs[:-2])
        variance, noise = np.exp(logs[-2:])
        root = np.sqrt(5 * (weights @ self.squares))
        decay = variance * np.exp(-root)
        covariance = ((1 + root + root**2 / 3) * decay).reshape(len(self.values), -1)
        try:
            inverse = _inverse_factor(covariance, noise)
        except np.linalg.LinAlgError:
            return np.inf, np.zeros_like(logs)
        half = inverse @ self.values
        solved = inverse.T @ half
        distance = (logs - self.prior[:, 0]) / self.prior[:, 1]
        cost = (half @ half + distance @ distance) / 2 - np.log(np.diag(inverse)).sum()
        # Half of the derivative by the covariance, whose own derivatives follow.
        slopes = (inverse.T @ inverse - np.outer(solved, solved)) / 2
        gradient = distance / self.prior[:, 1]
        by_square = slopes.ravel() * (1 + root) * decay
        gradient[:-2] += self.squares @ by_square * weights * 5 / 3
        gradient[-2] += (slopes * covariance).sum()
        gradient[-1] += np.trace(slopes) * noise
        return float(cost), gradient


def _matern(squares: "Array") -> "Array":
    """Return the correlation at these squared distances."""
    root = np.sqrt(5 * squares)
    return (1 + root + root**2 / 3) * np.exp(-root)


def _factor(covariance: "Array", noise: float) -> "Array":
    """Return the Cholesky factor of `covariance` with noise.

    Raises:
        LinAlgError: the covariance is so large that rounding errors exceed the noise.
    """
    noisy = covariance.copy()
    noisy[np.diag_indices(len(noisy))] += noise + _LEAST_NOISE
    return np.asarray(np.linalg.cholesky(noisy), dtype=np.float64)


def _inverse_factor(covariance: "Array", noise: float) -> "Array":
    """Return the inverse of `_factor`."""
    return np.asarray(np.linalg.inv(_factor(covariance, noise)), dtype=np.float64)


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
