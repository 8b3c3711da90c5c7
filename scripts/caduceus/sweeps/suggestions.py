"""Suggest the next trial of a sweep: by grid, at random, or from the results of earlier trials.

A suggestion depends only on the arguments, so that every process makes the same one. No state is
kept between two suggestions.

Method bayes uses Caduceus's own Gaussian process, in `model_search`, or one of Optuna's samplers,
in `optuna_search`. W&B's own method, a Gaussian process in its package `sweeps`, isn't reproduced.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from caduceus.io.files import canonical_json
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.observations import Observation
from caduceus.sweeps.spaces import Configuration, Space

if TYPE_CHECKING:
    from numpy.random import Generator

# The version of Caduceus's own search. A change of what it suggests needs another version, since a
# sweep keeps the search that it was started with.
SEARCH = 2
# With one of Optuna's samplers trials are random until trial 10, and until there are three results.
# Waiting for ten results would make 17 trials random at lag 7; starting at the third trial would
# make too few random at lag 1. Both gave more regret in benchmarks/sweep_search.py.
_LEAST_TRIALS, _LEAST_RESULTS = 10, 3


def suggest(
    config: SweepConfig,
    sampler: str,
    seed: int,
    number: int,
    earlier: Sequence[Observation],
    search: int | None = SEARCH,
) -> Configuration | None:
    """Return the configuration of trial `number`; None if the grid is exhausted.

    If all parameters have levels, method bayes repeats no earlier configuration while a new one is
    left.

    Args:
        config: the sweep's configuration.
        sampler: of method bayes: "gp" is a Gaussian process, "tpe" Optuna's TPESampler.
        seed: the sweep's seed; not negative.
        number: counted from 0.
        earlier: known runs, then trials 0 .. `number` - 1 in order; only method bayes uses them.
        search: the version, at most `SEARCH`; with None sampler "gp" is Optuna's GPSampler.

    Raises:
        KeyError: there is no such sampler.
    """
    if config.method == "grid":
        size = config.space.grid_size
        return config.space.grid_point(number) if size is None or number < size else None
    import numpy as np  # heavy: imported only where it is used

    if config.method == "random":
        return config.space.sample(np.random.default_rng((seed, number)))
    if sampler == "gp" and search is not None:
        from caduceus.sweeps.model_search import suggest_by_model

        found = suggest_by_model(config, seed, number, earlier, search)
    else:
        found = _suggest_by_optuna(config, sampler, seed, number, earlier)
    rng = np.random.default_rng((seed, number, 1))
    return _untried(found, config.space, [trial.parameters for trial in earlier], rng)


def _suggest_by_optuna(
    config: SweepConfig, sampler: str, seed: int, number: int, earlier: Sequence[Observation]
) -> Configuration:
    import numpy as np

    results = sum(trial.state != "running" for trial in earlier)
    varies = any(p.distribution.kind != "constant" for p in config.space.parameters)
    if varies and len(earlier) >= _LEAST_TRIALS and results >= _LEAST_RESULTS:
        from caduceus.sweeps.optuna_search import suggest_by_optuna

        return suggest_by_optuna(config, sampler, (seed, number), earlier)
    return config.space.sample(np.random.default_rng((seed, number)))


def _untried(
    found: Configuration, space: Space, tried: Sequence[Mapping[str, Any]], rng: "Generator"
) -> Configuration:
    """Return `found`, or the first untried configuration on a random walk from it.

    Each step sets one parameter to one of its levels. `found` is returned although it was tried if
    every configuration was. With a continuous parameter hardly any configuration comes twice.
    """
    known = set(map(canonical_json, tried))
    if canonical_json(found) not in known:
        return found
    parameters = sorted(space.parameters, key=lambda parameter: parameter.path)
    levels = [p.distribution.levels or () for p in parameters]
    if len(known) >= math.prod(map(len, levels)):
        return found
    values = space.flat(found)
    while canonical_json(found) in known:
        index = int(rng.integers(len(levels)))
        values[parameters[index].name] = levels[index][int(rng.integers(len(levels[index])))]
        found = space.nest({p.path: values[p.name] for p in space.parameters})
    return found
