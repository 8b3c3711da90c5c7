"""Estimate statistics over the runs of several tasks: the metrics of rliable.

Source: Agarwal, Schwarzer, Castro, Courville & Bellemare 2021, Deep Reinforcement Learning at the
Edge of the Statistical Precipice. Scores are an array (runs, tasks), normalized so that tasks are
comparable; where a task has fewer runs than others, the rest is NaN.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.random import Generator

from caduceus.errors import ResultError
from caduceus.statistics.comparisons import improvement
from caduceus.statistics.estimates import Estimate, iqm
from caduceus.statistics.samples import Array, finite, is_close

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
    resamples: int = 9_999,
    seed: int = 0,
    target: float = 1.0,
) -> Estimate:
    """Estimate a statistic over all tasks, with its interval by stratified bootstrap.

    The bootstrap resamples the runs of each task independently of the other tasks.

    Args:
        scores: (runs, tasks), NaN where a task has fewer runs than others.
        statistic: "mean" or "median" of the tasks' means; "iqm", the interquartile mean of all
            scores of all tasks; or "optimality_gap", the mean amount by which scores fall short of
            `target`.
        confidence: the confidence level of the interval.
        resamples: the number of bootstrap samples.
        seed: seeds the bootstrap.
        target: the score above which there is no gap, for "optimality_gap".

    Returns:
        An estimate, in the unit of the scores. Its `n` is the smallest number of runs of any task,
        and its `std` is NaN. If `n` is 1, or all samples agree, `low` and `high` are NaN as well.

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
    first: Any, second: Any, confidence: float = 0.95, resamples: int = 9_999, seed: int = 0
) -> Estimate:
    """Estimate the probability that a first run scores higher than a second, averaged over tasks.

    The probability of improvement of Agarwal et al. 2021, with its interval by stratified
    bootstrap. Ties count half (Mann & Whitney 1947). At 0.5 neither is better.

    Args:
        first: scores (runs, tasks), NaN where a task has fewer runs than others.
        second: scores (runs, tasks) of the same tasks in the same order.
        confidence: the confidence level of the interval.
        resamples: the number of bootstrap samples.
        seed: seeds the bootstrap.

    Returns:
        An estimate from 0 to 1. Its `n` is the smallest number of runs of any task, and its `std`
        is NaN. If `n` is 1, or all samples agree, `low` and `high` are NaN as well.

    Raises:
        ResultError: a task has no score, or one is infinite, or the numbers of tasks differ.
    """

    def aggregate(both: Sequence[Sequence[Array]]) -> Any:
        pairs = zip(*both, strict=True)
        return np.mean([improvement(one, other) for one, other in pairs], axis=0)

    tasks = [by_task(first), by_task(second)]
    if len(tasks[0]) != len(tasks[1]):
        raise ResultError(
            f"scores of {len(tasks[0])} tasks can't be compared with scores of {len(tasks[1])}"
        )
    low, high = stratified_interval(tasks, aggregate, confidence, resamples, seed)
    title = "probability of improvement over tasks"
    return _estimate(tasks, float(aggregate(tasks)), low, high, title, confidence)


def by_task(scores: Any) -> list[Array]:
    """Return the scores of each task, sorted and without NaN, from `scores`, (runs, tasks).

    Raises:
        ResultError: a task has no score, or one is infinite.
    """
    array = np.asarray(scores, dtype=float)
    if array.ndim != 2 or not array.size:
        raise ResultError(f"scores must be an array (runs, tasks), got shape {array.shape}")
    return [np.sort(finite(task[~np.isnan(task)])) for task in array.T]


def draw(runs: Array, resamples: int, generator: Generator) -> Array:
    """Draw samples, (resamples, n, ...), of `runs`, (n, ...), by the bootknife (Hesterberg 2004).

    Each sample is drawn with replacement from all runs except one, which is chosen at random.
    Samples drawn from all n runs, as in rliable, vary less than runs do, by a factor of √(1 - 1/n),
    so that intervals are too narrow.
    """
    n = len(runs)
    left_out = generator.integers(n, size=(resamples, 1))
    chosen = generator.integers(n - 1, size=(resamples, n))  # numbers the other n - 1 runs
    return runs[chosen + (chosen >= left_out)]


def stratified_interval(
    groups: Sequence[Sequence[Array]],
    aggregate: Callable[[Sequence[Sequence[Array]]], Any],
    confidence: float,
    resamples: int,
    seed: int,
) -> tuple[Any, Any]:
    """Return the lower and upper ends, (...), of an interval by stratified bootstrap.

    Args:
        groups: for each group of runs, the runs of each task, (n, ...).
        aggregate: computes the statistic of such groups; is called once, with samples
            (resamples, n, ...) in place of each (n, ...), and returns (resamples, ...).
        confidence: the confidence level of the interval.
        resamples: the number of bootstrap samples.
        seed: seeds the bootstrap.

    Returns:
        The two ends; both are NaN if a task has a single run.
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
    if is_close(low, high):
        low = high = float("nan")
    return Estimate(n, value, float("nan"), float(low), float(high), method)
