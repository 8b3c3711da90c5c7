"""Suggest a trial by one of Optuna's samplers.

Optuna's study is built from the earlier trials each time. Its samplers are a tree-structured Parzen
estimator (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011), and a
Gaussian process, which suggests the trials of sweeps that were started before Caduceus had a search
of its own: see `caduceus.sweeps.trials`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from caduceus.errors import ResourceError
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.observations import Observation, costs_of, rescaled
from caduceus.sweeps.spaces import Configuration, Parameter

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

# Up to this number of integers Optuna tries each one. With more it searches step by step, which is
# slower than searching real numbers.
_MOST_INDEXED = 16


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


def suggest_by_optuna(
    config: SweepConfig,
    sampler: str,
    entropy: tuple[int, int],
    earlier: Sequence[Observation],
) -> Configuration:
    """Return the configuration that one of Optuna's samplers suggests.

    Args:
        config: the sweep's configuration.
        sampler: "gp" is Optuna's GPSampler, "tpe" its TPESampler.
        entropy: the sweep's seed and the number of the trial.
        earlier: the trials before it, at least three of them with a result.

    Raises:
        KeyError: there is no such sampler.
        ResourceError: the Gaussian process needs torch, which isn't installed.
    """
    import optuna
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it logs every study
    axes = [_Axis(p) for p in config.space.parameters if p.distribution.kind != "constant"]
    names = [axis.parameter.name for axis in axes]
    distributions = {name: axis.distribution() for name, axis in zip(names, axes, strict=True)}
    study = optuna.create_study(sampler=_SAMPLERS[sampler](_seed(entropy)))
    costs = iter(rescaled(costs_of(earlier, config)))
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


def _seed(entropy: tuple[int, int]) -> int:
    import numpy as np

    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def _gp(seed: int) -> "BaseSampler":
    """Return a Gaussian process sampler.

    It averages over the possible results of running trials.
    """
    from optuna.samplers import GPSampler

    if find_spec("torch") is None:
        raise ResourceError(
            "torch, with which the sweep's first trials were suggested, isn't installed: "
            "pip install 'torch>=2.6,<3'"
        )
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
