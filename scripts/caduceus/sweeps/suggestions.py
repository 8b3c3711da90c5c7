"""Suggest the next trial of a sweep: by grid, at random, or by Bayesian optimization.

A suggestion depends only on the arguments, so that every process makes the same one. No state is
kept between two suggestions: Optuna's study is built from the earlier trials each time.

Method bayes uses Optuna's samplers: a Gaussian process with log expected improvement (Ament et al.,
"Unexpected Improvements to Expected Improvement for Bayesian Optimization", NeurIPS 2023), or a
tree-structured Parzen estimator (Bergstra et al., "Algorithms for Hyper-Parameter Optimization",
NeurIPS 2011). W&B's own method, a Gaussian process in its package `sweeps`, isn't reproduced.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

from caduceus.io.files import canonical_json
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.spaces import Configuration, Parameter, Space

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

# Trials are random until trial 10, and until there are three results. Waiting for ten results would
# make 17 trials random at lag 7; starting at the third trial would make too few random at lag 1.
# Both gave more regret in benchmarks/sweep_search.py.
_LEAST_TRIALS, _LEAST_RESULTS = 10, 3
# Up to this number of integers Optuna tries each one. With more it searches step by step, which is
# slower than searching real numbers.
_MOST_INDEXED = 16


@dataclass(frozen=True)
class Observation:
    """An earlier trial and its result.

    Attributes:
        parameters: its configuration, nested.
        objective: the value of the sweep's metric; None, or not finite, if it has none. For a trial
            that was stopped early it is that of the rows up to the rung; for a failed one it is
            the value that `metric.impute` selects from its rows.
        state: "running" if its result must not be used yet, even if the result exists.
    """

    parameters: Mapping[str, Any]
    objective: float | None
    state: Literal["finished", "failed", "running"]


def suggest(
    config: SweepConfig, sampler: str, seed: int, number: int, earlier: Sequence[Observation]
) -> Configuration | None:
    """Return the configuration of trial `number`; None if the grid is exhausted.

    If all parameters have levels, method bayes repeats no earlier configuration while a new one is
    left.

    Args:
        config: the sweep's configuration.
        sampler: of method bayes: "gp" is Optuna's GPSampler, "tpe" its TPESampler.
        seed: the sweep's seed; not negative.
        number: counted from 0.
        earlier: trials 0 .. `number` - 1 in order; only method bayes uses them.

    Raises:
        KeyError: there is no such sampler.
    """
    if config.method == "grid":
        size = config.space.grid_size
        return config.space.grid_point(number) if size is None or number < size else None
    import numpy as np  # heavy: imported only where it is used

    found = config.space.sample(np.random.default_rng((seed, number)))
    if config.method == "random":
        return found
    axes = [_Axis(p) for p in config.space.parameters if p.distribution.kind != "constant"]
    results = sum(trial.state != "running" for trial in earlier)
    if axes and number >= _LEAST_TRIALS and results >= _LEAST_RESULTS:
        found = _suggest_by_model(config, axes, sampler, (seed, number), earlier)
    rng = np.random.default_rng((seed, number, 1))
    return _untried(found, config.space, [trial.parameters for trial in earlier], rng)


@dataclass(frozen=True)
class _Axis:
    """A parameter as the optimizer sees it: a number in [0, 1], an index, or a label."""

    parameter: Parameter

    @cached_property
    def _ends(self) -> list[float]:
        """The cumulative probability of each level; empty if it is continuous."""
        distribution = self.parameter.distribution
        return [distribution.cdf(level) for level in distribution.levels or ()]

    @property
    def _is_label(self) -> bool:
        return self.parameter.distribution.kind == "categorical"

    @property
    def _is_indexed(self) -> bool:
        return self._is_label or 0 < len(self._ends) <= _MOST_INDEXED

    def distribution(self) -> "BaseDistribution":
        """Return Optuna's distribution of the coordinate."""
        from optuna.distributions import (
            CategoricalDistribution,
            FloatDistribution,
            IntDistribution,
        )

        if self._is_label:
            return CategoricalDistribution(range(len(self._ends)))
        if self._is_indexed:
            return IntDistribution(0, len(self._ends) - 1)
        return FloatDistribution(0, 1)

    def coordinate(self, value: Any) -> float:
        """Return the coordinate of `value`: its index, or the middle of its probability range."""
        share = self.parameter.distribution.cdf(value)
        if not self._ends:
            return share
        index = self._ends.index(share)
        if self._is_indexed:
            return index
        return (share + (self._ends[index - 1] if index else 0.0)) / 2

    def value(self, coordinate: float) -> Any:
        """Return the value at a coordinate."""
        distribution = self.parameter.distribution
        if self._is_indexed and distribution.levels is not None:
            return distribution.levels[int(coordinate)]
        return distribution.ppf(coordinate)


def _suggest_by_model(
    config: SweepConfig,
    axes: Sequence[_Axis],
    sampler: str,
    entropy: tuple[int, int],
    earlier: Sequence[Observation],
) -> Configuration:
    import optuna
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it logs every study
    names = [axis.parameter.name for axis in axes]
    distributions = {name: axis.distribution() for name, axis in zip(names, axes, strict=True)}
    study = optuna.create_study(sampler=_SAMPLERS[sampler](_seed(entropy)))
    costs = iter(_rescaled(_costs(earlier, config)))
    for trial in earlier:
        values = config.space.flat(trial.parameters)
        is_running = trial.state == "running"
        study.add_trial(
            create_trial(
                state=TrialState.RUNNING if is_running else TrialState.COMPLETE,
                value=None if is_running else float(next(costs)),
                params={
                    name: axis.coordinate(values[name])
                    for name, axis in zip(names, axes, strict=True)
                },
                distributions=distributions,
            )
        )
    with _one_thread() if sampler == "gp" else nullcontext():
        suggested = study.ask(distributions).params
    found = {p.path: p.distribution.ppf(0.0) for p in config.space.parameters}
    for name, axis in zip(names, axes, strict=True):
        found[axis.parameter.path] = axis.value(suggested[name])
    return config.space.nest(found)


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


def _costs(earlier: Sequence[Observation], config: SweepConfig) -> list[float]:
    """Return the value to minimize of each trial that isn't running.

    Failed trials and those without a finite objective count as in W&B's package `sweeps` 0.3.0,
    `bayes_search.py`: `metric.impute` selects the worst of the others, or their own objective; 0 if
    there is none. One difference: the worst is that of the objectives, while W&B takes the worst
    row of any run.
    """
    counted = ("finished",) if config.impute == "worst" else ("finished", "failed")
    ended = [trial for trial in earlier if trial.state != "running"]
    valid = {
        number: config.goal.sign * trial.objective
        for number, trial in enumerate(ended)
        if trial.state in counted and trial.objective is not None and math.isfinite(trial.objective)
    }
    imputed = max(valid.values(), default=0.0) if config.impute == "worst" else 0.0
    return [valid.get(number, imputed) for number in range(len(ended))]


def _rescaled(costs: Sequence[float]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Rescale costs so that a few diverged trials don't make all others look alike.

    The better half keeps its proportions: distances from the median in units of their root mean
    square. The worse half is replaced by the quantiles of a standard normal distribution. The order
    stays the same.
    """
    import numpy as np

    array = np.clip(np.asarray(costs, dtype=float), -1e150, 1e150)  # squares stay finite
    median = np.median(array)
    is_better = array <= median
    unit = math.sqrt(np.mean((array[is_better] - median) ** 2)) or 1.0
    _, ranks, counts = np.unique(array, return_inverse=True, return_counts=True)
    shares = (np.cumsum(counts) - counts / 2) / len(array)
    quantiles = np.array([NormalDist().inv_cdf(share) for share in shares])
    return np.where(is_better, (array - median) / unit, quantiles[ranks])


def _seed(entropy: tuple[int, int]) -> int:
    import numpy as np

    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def _gp(seed: int) -> "BaseSampler":
    """Return a Gaussian process sampler.

    It averages over the possible results of running trials.
    """
    from optuna.samplers import GPSampler

    sampler = GPSampler(seed=seed, n_startup_trials=1)
    # Optuna's defaults, 2048 and 10, take twice the time if all parameters are lists.
    sampler._n_preliminary_samples = 1024
    sampler._n_local_search = 4
    return sampler


def _tpe(seed: int) -> "BaseSampler":
    """Return a TPE sampler.

    It counts running trials as bad ones, so that suggestions keep away from them.
    """
    from optuna.samplers import TPESampler

    return TPESampler(seed=seed, n_startup_trials=1)


_SAMPLERS: dict[str, Callable[[int], "BaseSampler"]] = {"gp": _gp, "tpe": _tpe}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Run torch in one thread: sums are equal to the last bit only if always split the same way."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
