"""The next trial of a sweep from those before it: by grid, at random, or by Bayesian optimisation.

An answer depends on the arguments alone: whoever asks again, in whatever process, gets the same.
Nothing is kept from one suggestion to the next; Optuna's study is built anew from the trials.
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

# A model is asked from trial 10 on, once there are three results. To wait for ten results makes at
# lag 7 all of 17 trials random, and to ask at lag 1 from the third on spreads too few: both gave
# more regret in benchmarks/sweeps.py.
_LEAST_TRIALS, _LEAST_RESULTS = 10, 3
# Optuna tries each of so many whole numbers, and searches among more of them step by step, which
# takes longer than a search among real numbers.
_MOST_INDEXED = 16


@dataclass(frozen=True)
class Told:
    """What is known of an earlier trial.

    Attributes:
        parameters: its configuration, nested.
        objective: the sweep's metric; None, or no finite number, where there is none. A trial that
            was stopped early has that of its rows up to the deciding band, a failed one what
            `metric.impute` names of its own rows.
        state: "running" is a trial whose result may not be used yet, be it there or not.
    """

    parameters: Mapping[str, Any]
    objective: float | None
    state: Literal["finished", "failed", "running"]


def suggest(
    config: SweepConfig, sampler: str, seed: int, number: int, earlier: Sequence[Told]
) -> Configuration | None:
    """The configuration of trial `number`, or None if the grid has no more.

    Method bayes gives none of the earlier ones again where all parameters have levels, and some
    configuration is left.

    Args:
        config: of the sweep.
        sampler: of method bayes: "gp" is Optuna's GPSampler, "tpe" its TPESampler.
        seed: of the sweep; not negative.
        number: of the trial, from 0.
        earlier: trials 0 .. `number` - 1 in their order; only method bayes looks at them.

    Raises:
        KeyError: there is no such sampler.
    """
    if config.method == "grid":
        size = config.space.grid_size
        return config.space.grid_point(number) if size is None or number < size else None
    import numpy as np  # as all else that is heavy, only where it is used

    found = config.space.sample(np.random.default_rng((seed, number)))
    if config.method == "random":
        return found
    axes = [_Axis(p) for p in config.space.parameters if p.distribution.kind != "constant"]
    results = sum(trial.state != "running" for trial in earlier)
    if axes and number >= _LEAST_TRIALS and results >= _LEAST_RESULTS:
        found = _ask_model(config, axes, sampler, (seed, number), earlier)
    rng = np.random.default_rng((seed, number, 1))
    return _untried(found, config.space, [trial.parameters for trial in earlier], rng)


@dataclass(frozen=True)
class _Axis:
    """A parameter as an optimiser sees it: a number in [0, 1], an index, or a label."""

    parameter: Parameter

    @cached_property
    def _ends(self) -> list[float]:
        """The shares at which its levels end; none if it is continuous."""
        distribution = self.parameter.distribution
        return [distribution.cdf(level) for level in distribution.levels or ()]

    @property
    def _is_label(self) -> bool:
        return self.parameter.distribution.kind == "categorical"

    @property
    def _is_indexed(self) -> bool:
        return self._is_label or 0 < len(self._ends) <= _MOST_INDEXED

    def distribution(self) -> "BaseDistribution":
        """The same for Optuna."""
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

    def place(self, value: Any) -> float:
        """Where `value` lies: its index, or the middle of its share."""
        share = self.parameter.distribution.cdf(value)
        if not self._ends:
            return share
        index = self._ends.index(share)
        if self._is_indexed:
            return index
        return (share + (self._ends[index - 1] if index else 0.0)) / 2

    def value(self, place: float) -> Any:
        """The value that lies there."""
        distribution = self.parameter.distribution
        if self._is_indexed and distribution.levels is not None:
            return distribution.levels[int(place)]
        return distribution.ppf(place)


def _ask_model(
    config: SweepConfig,
    axes: Sequence[_Axis],
    sampler: str,
    entropy: tuple[int, int],
    earlier: Sequence[Told],
) -> Configuration:
    import optuna
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it tells of every study
    names = [axis.parameter.name for axis in axes]
    distributions = {name: axis.distribution() for name, axis in zip(names, axes, strict=True)}
    study = optuna.create_study(sampler=_SAMPLERS[sampler](_seed(entropy)))
    costs = iter(_evened(_costs(earlier, config)))
    for trial in earlier:
        values = config.space.flat(trial.parameters)
        is_running = trial.state == "running"
        study.add_trial(
            create_trial(
                state=TrialState.RUNNING if is_running else TrialState.COMPLETE,
                value=None if is_running else float(next(costs)),
                params={
                    name: axis.place(values[name]) for name, axis in zip(names, axes, strict=True)
                },
                distributions=distributions,
            )
        )
    with _one_thread() if sampler == "gp" else nullcontext():
        asked = study.ask(distributions).params
    found = {p.path: p.distribution.ppf(0.0) for p in config.space.parameters}
    for name, axis in zip(names, axes, strict=True):
        found[axis.parameter.path] = axis.value(asked[name])
    return config.space.nest(found)


def _untried(
    found: Configuration, space: Space, tried: Sequence[Mapping[str, Any]], rng: "Generator"
) -> Configuration:
    """`found`; or, where it was tried, the first untried one on a random walk from there.

    Each step gives one parameter one of its levels. `found` stays where a parameter is continuous,
    so that hardly anything comes twice, and where nothing is left.
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
        place = int(rng.integers(len(levels)))
        values[parameters[place].name] = levels[place][int(rng.integers(len(levels[place])))]
        found = space.nest({p.path: values[p.name] for p in space.parameters})
    return found


def _costs(earlier: Sequence[Told], config: SweepConfig) -> list[float]:
    """What is to be minimised, of each trial that isn't running.

    Failed trials and those without a finite objective count as in W&B's package `sweeps` 0.3.0,
    `bayes_search.py`: by `metric.impute` either as the worst of the others, or as their own
    objective; as 0 if there is none. The worst is that of the objectives, where W&B takes the worst
    row of any run.
    """
    counted = ("finished",) if config.impute == "worst" else ("finished", "failed")
    ended = [trial for trial in earlier if trial.state != "running"]
    valid = {
        number: config.goal.sign * trial.objective
        for number, trial in enumerate(ended)
        if trial.state in counted and trial.objective is not None and math.isfinite(trial.objective)
    }
    otherwise = max(valid.values(), default=0.0) if config.impute == "worst" else 0.0
    return [valid.get(number, otherwise) for number in range(len(ended))]


def _evened(costs: Sequence[float]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Costs in the same order, of which the better half keeps its proportions.

    The worse half takes the quantiles of a normal distribution, whose unit is the root mean square
    of the better half. By their own sizes a few diverged trials would make all others look alike.
    """
    import numpy as np

    array = np.clip(np.asarray(costs, dtype=float), -1e150, 1e150)  # squares stay finite
    median = np.median(array)
    is_better = array <= median
    unit = math.sqrt(np.mean((array[is_better] - median) ** 2)) or 1.0
    _, places, counts = np.unique(array, return_inverse=True, return_counts=True)
    shares = (np.cumsum(counts) - counts / 2) / len(array)
    quantiles = np.array([NormalDist().inv_cdf(share) for share in shares])
    return np.where(is_better, (array - median) / unit, quantiles[places])


def _seed(entropy: tuple[int, int]) -> int:
    import numpy as np

    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def _gp(seed: int) -> "BaseSampler":
    """Trials without a result are fantasies: what they may give is averaged over."""
    from optuna.samplers import GPSampler

    sampler = GPSampler(seed=seed, n_startup_trials=1)
    # Half the time of Optuna's own 2048 and 10 where all parameters are lists.
    sampler._n_preliminary_samples = 1024
    sampler._n_local_search = 4
    return sampler


def _tpe(seed: int) -> "BaseSampler":
    """Trials without a result count as bad ones, so that others keep away from them."""
    from optuna.samplers import TPESampler

    return TPESampler(seed=seed, n_startup_trials=1)


_SAMPLERS: dict[str, Callable[[int], "BaseSampler"]] = {"gp": _gp, "tpe": _tpe}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums come out alike, to the last bit, only if they are always split alike."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
