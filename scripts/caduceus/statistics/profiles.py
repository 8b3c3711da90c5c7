"""Compute performance profiles: the fraction of runs with a score above each threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from caduceus.statistics.samples import Array, Values
from caduceus.statistics.tasks import by_task, stratified_interval


@dataclass(frozen=True)
class Profile:
    """A performance profile; each attribute is an array (thresholds,).

    Attributes:
        thresholds: the thresholds, in the unit of the scores.
        share: the fraction of runs with a score above each, from 0 to 1.
        low: the lower end of its interval; NaN if a task has a single run.
        high: its upper end.
    """

    thresholds: Array
    share: Array
    low: Array
    high: Array


def performance_profile(
    scores: Any,
    thresholds: Values,
    confidence: float = 0.95,
    resamples: int = 2_000,
    seed: int = 0,
) -> Profile:
    """Compute the fraction of runs with a score above each threshold, averaged over tasks.

    This is the run-score distribution of Agarwal et al. 2021, after Dolan & Moré 2002, with
    pointwise intervals by stratified bootstrap. A profile that lies above another at every
    threshold is stochastically better.

    Args:
        scores: (runs, tasks), NaN where a task has fewer runs than others.
        thresholds: (thresholds,), in the unit of the scores.
        confidence: the confidence level of the interval at each threshold.
        resamples: the number of bootstrap samples.
        seed: seeds the bootstrap.

    Raises:
        ResultError: a task has no score, or one is infinite.
    """
    limits = np.asarray(thresholds, dtype=float)
    above = [(task[:, None] > limits).astype(float) for task in by_task(scores)]

    def aggregate(tasks: Sequence[Array]) -> Any:
        return np.mean([task.mean(axis=-2) for task in tasks], axis=0)

    low, high = stratified_interval(
        [above], lambda drawn: aggregate(drawn[0]), confidence, resamples, seed
    )
    shape = np.ones_like(limits)
    return Profile(limits, aggregate(above), low * shape, high * shape)
