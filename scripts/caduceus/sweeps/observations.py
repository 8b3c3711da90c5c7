"""The earlier trials of a sweep, as its search sees them: configurations, and costs to minimize."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

from caduceus.sweeps.configs import SweepConfig

if TYPE_CHECKING:
    import numpy as np


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


def costs_of(earlier: Sequence[Observation], config: SweepConfig) -> list[float]:
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


def rescaled(costs: Sequence[float]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Rescale costs so that a few diverged trials don't make all others look alike.

    The better half keeps its proportions: distances from the median in units of their root mean
    square. The worse half is replaced by the quantiles of a standard normal distribution. The order
    stays the same.
    """
    import numpy as np  # heavy: imported only where it is used

    array = np.clip(np.asarray(costs, dtype=float), -1e150, 1e150)  # squares stay finite
    median = np.median(array)
    is_better = array <= median
    unit = math.sqrt(np.mean((array[is_better] - median) ** 2)) or 1.0
    _, ranks, counts = np.unique(array, return_inverse=True, return_counts=True)
    shares = (np.cumsum(counts) - counts / 2) / len(array)
    quantiles = np.array([NormalDist().inv_cdf(share) for share in shares])
    return np.where(is_better, (array - median) / unit, quantiles[ranks])
