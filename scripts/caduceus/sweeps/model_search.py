"""Suggest a trial by Bayesian optimization with a Gaussian process.

The first trials are a Latin hypercube. As soon as there is a result, each trial is the one with the
greatest expected improvement, as if the running trials had ended as predicted. The results of
benchmarks/sweep_search.py are in workflow/SWEEPS.md.

Version 2 also believes that the best lies near the centre of continuous ranges, the less the more
results there are (Hvarfner et al., "PiBO: Augmenting Acquisition Functions with User Beliefs for
Bayesian Optimization", ICLR 2022). In version 1 trials suggested from few results lie in the
corners of the space, where the model knows least.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from caduceus.sweeps.acquisition import log_expected_improvement
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.coordinates import Coordinates
from caduceus.sweeps.gaussian_process import fit
from caduceus.sweeps.maximization import maximize
from caduceus.sweeps.observations import Observation, costs_of, rescaled
from caduceus.sweeps.spaces import Configuration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_FIRST = 4  # trials without a model
_CUBE = 8  # trials in a Latin hypercube
_CUBES = 50  # of which the one whose points lie farthest apart is taken
_MOST_FITTED = 128  # results, since a fit takes time with their cube
_MOST_RUNNING = 64
_NEAR = 5  # best results, around which a better one is looked for
_BELIEF = 3.0  # the number of results at which the belief in the centre counts once
_SPREAD = 0.25  # its standard deviation, as a share of a range


def suggest_by_model(
    config: SweepConfig, seed: int, number: int, earlier: Sequence[Observation], version: int
) -> Configuration:
    """Return the configuration of trial `number`.

    It may be an earlier one, if all parameters have levels.

    Args:
        config: the sweep's configuration.
        seed: the sweep's seed; not negative.
        number: counted from 0.
        earlier: known runs, then trials 0 .. `number` - 1 in order.
        version: of the search, counted from 1.
    """
    coordinates = Coordinates.of(config.space)
    if not coordinates.axes:
        return coordinates.configuration(np.empty(0))
    if len(earlier) < _FIRST or all(trial.state == "running" for trial in earlier):
        shares = _latin_hypercube(len(coordinates.axes), seed, number // _CUBE)
        return coordinates.configuration(coordinates.at(shares)[number % _CUBE])
    # Sums that are split among threads may differ in the last bit.
    with threadpool_limits(limits=1, user_api="blas"):
        belief = 0.0 if version == 1 else _BELIEF
        return coordinates.configuration(
            _best_point(config, coordinates, (seed, number), earlier, belief)
        )


def _latin_hypercube(axes: int, seed: int, number: int) -> "Array":
    """Return the points of a Latin hypercube (`_CUBE`, axes).

    It is the one of several whose least distance between points is greatest (Johnson, Moore &
    Ylvisaker, "Minimax and Maximin Distance Designs", 1990).
    """
    rng = np.random.default_rng((seed, number, 2))
    ranks = np.argsort(rng.random((_CUBES, _CUBE, axes)), axis=1)
    cubes = (ranks + rng.random(ranks.shape)) / _CUBE
    squares = ((cubes[:, :, None] - cubes[:, None]) ** 2).sum(axis=3) + axes * np.eye(_CUBE)
    best: Array = cubes[squares.min(axis=(1, 2)).argmax()]
    return best


def _best_point(
    config: SweepConfig,
    coordinates: Coordinates,
    entropy: tuple[int, int],
    earlier: Sequence[Observation],
    belief: float,
) -> "Array":
    """Return the point with the greatest expected improvement times the belief (axes,)."""
    points = np.array([coordinates.point(trial.parameters) for trial in earlier])
    is_running = np.array([trial.state == "running" for trial in earlier])
    costs = rescaled(costs_of(earlier, config))
    weight = belief / len(costs) / (2 * _SPREAD**2)
    fitted = _fitted(costs)
    known, running = points[~is_running][fitted], points[is_running][-_MOST_RUNNING:]
    costs = costs[fitted] - costs[fitted].mean()
    costs /= costs.std() or 1.0
    model = fit(coordinates.columns(known), coordinates.groups, costs)
    seen = coordinates.columns(np.concatenate((known, running)))
    best = float(model.predict(seen)[0].min())
    model = model.with_running(coordinates.columns(running))

    def value(at: "Array") -> "Array":
        found = log_expected_improvement(*model.predict(coordinates.columns(at)), best)
        found -= weight * coordinates.eccentricities(at)
        if coordinates.are_listed:
            found[(at[:, None] == points).all(axis=2).any(axis=1)] = -np.inf
        return found

    near = known[np.argsort(costs, kind="stable")[:_NEAR]]
    return maximize(value, coordinates, near, np.random.default_rng((*entropy, 3)))


def _fitted(costs: "Array") -> "NDArray[np.int_]":
    """Return the results that the model is fitted to, in order: the best, and the latest others."""
    order = np.argsort(costs, kind="stable")
    best, others = order[: _MOST_FITTED // 2], np.sort(order[_MOST_FITTED // 2 :])
    return np.sort(np.concatenate((best, others[-(_MOST_FITTED // 2) :])))
