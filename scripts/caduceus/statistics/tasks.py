"""Estimates over the runs of several tasks, and performance profiles' bootstrap: rliable's metrics.

Agarwal, Schwarzer, Castro, Courville & Bellemare 2021, Deep Reinforcement Learning at the Edge of
the Statistical Precipice. Scores are an array (runs, tasks), normalized so that tasks can be
compared; NaN stands for a run that a task doesn't have.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.random import Generator

from caduceus.errors import ResultError
from caduceus.statistics.estimates import Estimate, iqm
from caduceus.statistics.samples import Array, finite

TaskStatistic = Literal["mean", "median", "iqm", "optimality_gap"]
_TITLES = {
    "mean": "mean over tasks",
    "median": "median over tasks of the mean",
    "iqm": "interquartile mean over runs and tasks",
    "optimality_gap": "optimality gap",
}


def estimate_over_tasks(
    scores: Any,
    statistic: TaskStatistic = "iqm",
    confidence: float = 0.95,
    resamples: int = 2_000,
    seed: int = 0,
    target: float = 1.0,
) -> Estimate:
    """A statistic over all tasks, with its interval by stratified bootstrap.

    "mean" and "median" are those of the tasks' means, "iqm" is that of all scores of all tasks
    together, "optimality_gap" is how far scores fall short of `target`, in the mean over tasks. The
    bootstrap draws each task's runs anew, independently of the other tasks.

    Args:
        scores: (runs, tasks), NaN where a task has fewer runs than others.
        statistic: what to estimate.
        confidence: the share of such intervals that should cover the true value.
        resamples: how many samples the bootstrap draws.
        seed: of the bootstrap; the same seed gives the same interval.
        target: the score that is enough, for "optimality_gap".

    Returns:
        An estimate whose `n` is the number of runs of the task with fewest, and whose `std` is NaN.
        If that `n` is 1, so are `low` and `high`.

    Raises:
        ResultError: a task has no score, or one is infinite.
    """

    def aggregate(tasks: Sequence[Array]) -> Any:
        if statistic == "iqm":
            return iqm(np.concatenate(tasks, axis=-1))
        if statistic == "optimality_gap":
            tasks = [np.maximum(target - task, 0) for task in tasks]
        means = np.stack([task.mean(axis=-1) for task in tasks])
        return np.median(means, axis=0) if statistic == "median" else means.mean(axis=0)

    tasks = by_task(scores)
    low, high = stratified_interval(
        [tasks], lambda drawn: aggregate(drawn[0]), confidence, resamples, seed
    )
    return _estimate([tasks], float(aggregate(tasks)), low, high, _TITLES[statistic], confidence)


def improvement_over_tasks(
    first: Any, second: Any, confidence: float = 0.95, resamples: int = 2_000, seed: int = 0
) -> Estimate:
    """How probably a run of the first does better than one of the second, in the mean over tasks.

    Ties count half (Mann & Whitney 1947). 0.5 says that neither is better.

    Args:
        first: scores (runs, tasks), NaN where a task has fewer runs than others.
        second: scores (other runs, the same tasks).
        confidence: the share of such intervals that should cover the true value.
        resamples: how many samples the stratified bootstrap draws.
        seed: of the bootstrap; the same seed gives the same interval.

    Raises:
        ResultError: a task has no score, or one is infinite, or the tasks aren't the same.
    """

    def aggregate(both: Sequence[Sequence[Array]]) -> Any:
        pairs = zip(*both, strict=True)
        return np.mean([improvement(one, other) for one, other in pairs], axis=0)

    tasks = [by_task(first), by_task(second)]
    if len(tasks[0]) != len(tasks[1]):
        raise ResultError(f"scores of {len(tasks[0])} tasks against {len(tasks[1])} of others")
    low, high = stratified_interval(tasks, aggregate, confidence, resamples, seed)
    title = "probability of improvement over tasks"
    return _estimate(tasks, float(aggregate(tasks)), low, high, title, confidence)


def improvement(first: Array, second: Array) -> Any:
    """The share (...) of pairs of `first` (..., n) and `second` (..., m) in which it is greater."""
    one, other = first[..., :, None], second[..., None, :]
    return ((one > other) + 0.5 * (one == other)).mean(axis=(-2, -1))


def by_task(scores: Any) -> list[Array]:
    """The finite scores of each task, in order, from `scores` (runs, tasks).

    Raises:
        ResultError: a task has none, or one is infinite.
    """
    array = np.asarray(scores, dtype=float)
    if array.ndim != 2 or not array.size:
        raise ResultError(f"scores are an array (runs, tasks), got one of shape {array.shape}")
    return [np.sort(finite(task[~np.isnan(task)])) for task in array.T]


def draw(runs: Array, resamples: int, generator: Generator) -> Array:
    """`resamples` samples (resamples, n, ...) of `runs` (n, ...), by the bootknife.

    Each sample is drawn with replacement from all runs but one (Hesterberg 2004). Drawn from all n,
    as rliable does, samples vary less than runs do, by √(1 - 1/n), and intervals are too narrow.
    """
    n = len(runs)
    left_out = generator.integers(n, size=(resamples, 1))
    chosen = generator.integers(n - 1, size=(resamples, n))
    return runs[chosen + (chosen >= left_out)]


def stratified_interval(
    groups: Sequence[Sequence[Array]],
    aggregate: Callable[[Sequence[Sequence[Array]]], Any],
    confidence: float,
    resamples: int,
    seed: int,
) -> tuple[Any, Any]:
    """The ends (...) of the interval of `aggregate`, a function of the tasks' runs of each group.

    It is called with samples (resamples, n, ...) in the place of each task's runs (n, ...). Both
    ends are NaN if a task has a single run.
    """
    if min(len(task) for tasks in groups for task in tasks) < 2:
        return np.nan, np.nan
    generator = np.random.default_rng(seed)
    drawn = [[draw(task, resamples, generator) for task in tasks] for tasks in groups]
    ends = ((1 - confidence) / 2, (1 + confidence) / 2)
    low, high = np.quantile(aggregate(drawn), ends, axis=0)
    return low, high


def _estimate(
    groups: Sequence[Sequence[Array]],
    value: float,
    low: Any,
    high: Any,
    title: str,
    confidence: float,
) -> Estimate:
    n = min(len(task) for tasks in groups for task in tasks)
    method = f"{title}, {100 * confidence:g} % interval by stratified bootstrap"
    return Estimate(n, value, float("nan"), float(low), float(high), method)
