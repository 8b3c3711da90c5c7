"""Rank methods on each task."""

from typing import Any

import numpy as np

from caduceus.errors import ResultError
from caduceus.statistics.samples import Array, midranks, without_rounding_errors


def task_ranks(values: Any, is_greater_better: bool = True) -> Array:
    """Return the ranks, (tasks, methods), of methods within each task: 1 is the best.

    Methods with equal values get the mean of their ranks.

    Args:
        values: one for each task and method, (tasks, methods).
        is_greater_better: whether the greatest value of a task is its best.

    Raises:
        ResultError: a value isn't finite, or there are none.
    """
    array = np.asarray(values, dtype=float)
    if array.ndim != 2 or not array.size or not np.isfinite(array).all():
        raise ResultError(f"ranks need finite values (tasks, methods), got shape {array.shape}")
    signed = -array if is_greater_better else array
    return np.stack(
        [midranks(without_rounding_errors(row, float(np.abs(row).max()))) for row in signed]
    )
