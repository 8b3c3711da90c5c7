"""Performance profiles: which share of runs scores above each threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from caduceus.statistics.samples import Array, Values
from caduceus.statistics.tasks import by_task, stratified_interval


@dataclass(frozen=True)
class Profile:
    """A performance profile, each an array (thresholds,); `low` and `high` may be NaN."""

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
    """The share of runs with a score above each threshold, in the mean over tasks.

    The run-score distribution of Agarwal et al. 2021, after Dolan & Moré 2002, with intervals at
    each threshold by stratified bootstrap. Where one profile lies above another everywhere, it is
    stochastically better.

    Args:
        scores: (runs, tasks), NaN where a task has fewer runs than others.
        thresholds: (thresholds,), in the unit of the scores.
        confidence: the share of such intervals, at one threshold, that should cover the true value.
        resamples: how many samples the bootstrap draws.
        seed: of the bootstrap; the same seed gives the same intervals.

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
