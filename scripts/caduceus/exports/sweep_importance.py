"""The importance of a sweep's parameters for its objective, with intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from caduceus.exports.sweep_trials import TrialRow
from caduceus.runs.goal import Goal
from caduceus.statistics.outliers import outlier_limit
from caduceus.sweeps.coordinates import Axis, Coordinates
from caduceus.sweeps.gaussian_process import GaussianProcess, sample
from caduceus.sweeps.spaces import Space

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST_TRIALS = 10  # with an objective, for any result
_MOST_FITTED = 200  # trials, since a fit takes time with their cube
# Drawn models, and functions of each: enough for percentiles that hardly depend on the seed.
_MODELS, _FUNCTIONS = 40, 10
_WAVES = 1000  # of which a function is the sum
_PLACES = 64  # at which the effect of a continuous parameter is computed


@dataclass(frozen=True)
class Importance:
    """A parameter's share of the objective's variance, with its 95 % interval."""

    name: str
    mean: float
    low: float
    high: float


def importances(
    rows: Sequence[TrialRow], space: Space, goal: Goal, seed: int = 0
) -> list[Importance]:
    """Return the importances of all parameters that vary, greatest first; they sum to 1.

    The method is functional ANOVA (Hutter, Hoos & Leyton-Brown 2014) of a Gaussian process. A
    parameter's importance is the variance of the objective when all other parameters are averaged
    out over the whole space, relative to the sum of these variances. Interactions count for no
    parameter. The distribution of the trials matters little, so that the trials of a Bayesian
    search can be used, but regions with few trials are predicted badly.

    Processes are drawn from their posterior, and from each functions that agree with the trials.
    `mean` is the mean importance over these functions, `low` and `high` are the 2.5th and 97.5th
    percentile. In simulations of 100 random trials with little noise, a parameter that explains
    13 % of the variance beside one of 87 % comes out as 13 % on average: see workflow/SWEEPS.md.
    Noise gives every parameter some importance, so a parameter matters only if it stands out.

    Objectives that are outliers on the worse side are clipped to the worst that isn't one, as a run
    that diverged would decide alone. Trials without a finite objective are left out. Of more than
    200 trials 200 are drawn.

    Args:
        rows: trials of the sweep.
        space: the space that it searches.
        goal: which objectives are better.
        seed: the seed of all that is drawn.

    Returns:
        The importances; empty if fewer than `LEAST_TRIALS` trials have an objective, all have the
        same, or no parameter varies.
    """
    coordinates = Coordinates.of(space)
    found = [
        (row, row.objective)
        for row in rows
        if row.state == "finished" and row.objective is not None and math.isfinite(row.objective)
    ]
    if len(found) < LEAST_TRIALS or not coordinates.axes:
        return []
    costs = goal.sign * np.array([objective for _, objective in found])
    costs = np.minimum(costs, outlier_limit(costs.tolist()))
    costs = np.ldexp(costs, -np.frexp(np.abs(costs).max())[1])  # else squares may overflow
    if not np.ptp(costs):
        return []
    rng = np.random.default_rng(seed)
    points = np.array([coordinates.point_of(row.parameters) for row, _ in found])
    drawn = np.sort(rng.permutation(len(found))[:_MOST_FITTED])
    # Sums that are split among threads may differ in the last bit.
    with threadpool_limits(limits=1, user_api="blas"):
        shares = _shares(coordinates, points[drawn], costs[drawn], rng)
    low, high = np.quantile(shares, (0.025, 0.975), axis=0)
    mean = np.mean(shares, axis=0)
    return [
        Importance(
            coordinates.axes[place].parameter.name,
            float(mean[place]),
            float(low[place]),
            float(high[place]),
        )
        for place in np.argsort(-mean, kind="stable")
    ]


def _shares(coordinates: Coordinates, points: "Array", costs: "Array", rng: "Generator") -> "Array":
    """Return the importance of each parameter in each of the drawn functions (functions, axes).

    Args:
        coordinates: of the space.
        points: the trials (trials, axes).
        costs: their objectives, to be minimized (trials,).
        rng: draws the functions.
    """
    values = (costs - costs.mean()) / costs.std()
    columns = coordinates.columns(points)
    shares = []
    for model in sample(columns, coordinates.groups, values, _MODELS, rng):
        waves = _Waves.of(model, rng)
        amplitudes = _amplitudes(waves.at(columns), values, model.noise, rng)
        effects = np.stack(
            [
                probabilities @ (effect - probabilities @ effect) ** 2
                for effect, probabilities in _main_effects(coordinates, waves, amplitudes)
            ],
            axis=1,
        )
        shares.append(effects / effects.sum(axis=1, keepdims=True))
    return np.concatenate(shares)


@dataclass(frozen=True)
class _Waves:
    """Cosines whose sums with normal amplitudes are functions of a Gaussian process.

    They are random Fourier features (Rahimi & Recht, "Random Features for Large-Scale Kernel
    Machines", NeurIPS 2007). The spectrum of a Matern 5/2 kernel is Student's t with 5 degrees.

    Attributes:
        frequencies: (columns, waves).
        phases: (waves,).
        height: of each wave.
    """

    frequencies: "Array"
    phases: "Array"
    height: float

    @classmethod
    def of(cls, model: GaussianProcess, rng: "Generator") -> "_Waves":
        """Draw waves of a Gaussian process."""
        normal = rng.normal(size=(len(model.scales), _WAVES))
        frequencies = model.scales[:, None] * normal / np.sqrt(rng.chisquare(5, _WAVES) / 5)
        phases = rng.uniform(0, 2 * np.pi, _WAVES)
        return cls(frequencies, phases, math.sqrt(2 * model.variance / _WAVES))

    def at(self, columns: "Array") -> "Array":
        """Return the waves at points (points, columns): (points, waves)."""
        return self.height * np.cos(columns @ self.frequencies + self.phases)


def _amplitudes(waves: "Array", values: "Array", noise: float, rng: "Generator") -> "Array":
    """Draw the amplitudes of functions that agree with the trials (waves, functions).

    Functions are drawn without the trials, and corrected by what they miss (Wilson et al.,
    "Efficiently Sampling Functions from Gaussian Process Posteriors", ICML 2020).

    Args:
        waves: at each trial (trials, waves).
        values: of the trials (trials,).
        noise: their variance around the function.
        rng: draws the functions.
    """
    noise += 1e-6
    before = rng.normal(size=(waves.shape[1], _FUNCTIONS))
    noises = math.sqrt(noise) * rng.normal(size=(len(values), _FUNCTIONS))
    missed = values[:, None] - waves @ before - noises
    covariance = waves @ waves.T + noise * np.eye(len(values))
    return before + waves.T @ np.linalg.solve(covariance, missed)


def _main_effects(
    coordinates: Coordinates, waves: _Waves, amplitudes: "Array"
) -> list[tuple["Array", "Array"]]:
    """Return each parameter's effect at its places, and the probability of each place.

    The effect is the mean of the functions over all other parameters (places, functions). The mean
    of a wave is a product, since it is the real part of a product over the parameters. Sines and
    cosines take a third of the time that complex exponentials do.
    """
    places = [_places(axis) for axis in coordinates.axes]
    factors, means = [], []
    for number, (at, probabilities) in enumerate(places):
        columns = coordinates.axes[number].columns(at)
        angles = columns @ waves.frequencies[coordinates.groups == number]
        factors.append((np.cos(angles), np.sin(angles)))
        cosine, sine = factors[-1]
        means.append(probabilities @ cosine + 1j * (probabilities @ sine))
    found = []
    for number, (cosine, sine) in enumerate(factors):
        others = np.delete(means, number, axis=0).prod(axis=0) * np.exp(1j * waves.phases)
        turned = waves.height * others[:, None] * amplitudes
        found.append((cosine @ turned.real - sine @ turned.imag, places[number][1]))
    return found


def _places(axis: Axis) -> tuple["Array", "Array"]:
    """Return coordinates of a parameter, and the probability of each."""
    if axis.places is None:
        return (np.arange(_PLACES) + 0.5) / _PLACES, np.full(_PLACES, 1 / _PLACES)
    return axis.places, axis.probabilities
