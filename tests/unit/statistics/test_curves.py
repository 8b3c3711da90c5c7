"""Curves of several runs on one axis: known answers."""

import numpy as np
import pytest
from caduceus.statistics.curves import align, estimate_steps, on_axis
from caduceus.statistics.settings import Methods

NAN = np.nan


def curve(axis: list[float], values: list[float]) -> tuple[list[float], list[float], int, int]:
    found = on_axis(np.array(axis, float), np.array(values, float))
    return found.axis.tolist(), found.values.tolist(), found.without, found.replaced


@pytest.mark.parametrize(
    ("axis", "values", "expected"),
    [
        ([1, 2, 4], [5, 6, 7], ([1, 2, 4], [5, 6, 7], 0, 0)),
        ([], [], ([], [], 0, 0)),
        ([3], [1], ([3], [1], 0, 0)),
        # A resume from 20: what was logged from there on is logged again, in other places.
        ([0, 10, 20, 30, 25, 35], [0, 1, 2, 3, 4, 5], ([0, 10, 20, 25, 35], [0, 1, 2, 4, 5], 0, 1)),
        ([0, 10, 20, 30, 15, 25], [0, 1, 2, 3, 4, 5], ([0, 10, 15, 25], [0, 1, 4, 5], 0, 2)),
        # Several resets, the last one to before all others; a start over.
        ([0, 1, 2, 1, 2, 0, 1], [0, 1, 2, 3, 4, 5, 6], ([0, 1], [5, 6], 0, 5)),
        # Of rows at one value the last counts.
        ([7, 7, 8, 8, 8], [1, 2, 3, 4, 5], ([7, 8], [2, 5], 0, 3)),
        ([0, 0, 0], [1, 2, 3], ([0], [3], 0, 2)),
        ([NAN, 1, NAN, 2], [0, 1, 2, 3], ([1, 2], [1, 3], 2, 0)),
        ([np.inf, 1, -np.inf], [0, 1, 2], ([1], [1], 2, 0)),
        ([NAN, NAN], [0, 1], ([], [], 2, 0)),
        # An axis that falls, such as a temperature, and one that goes back up after a resume.
        ([3, 2, 1], [0, 1, 2], ([1, 2, 3], [2, 1, 0], 0, 0)),
        ([4, 3, 2, 1, 2, 1, 0], [0, 1, 2, 3, 4, 5, 6], ([0, 1, 2, 3, 4], [6, 5, 4, 1, 0], 0, 2)),
    ],
)
def test_a_metric_becomes_a_function_of_its_axis(
    axis: list[float],
    values: list[float],
    expected: tuple[list[float], list[float], int, int],
) -> None:
    assert curve(axis, values) == expected


def identity(start: float, end: float, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """The curve y = x."""
    found = np.arange(start, end + spacing / 2, spacing)
    return found, found.copy()


def test_the_mean_of_y_equals_x_is_x_however_far_apart_each_runs_rows_are() -> None:
    curves = [identity(5, 1000, 5), identity(25, 1000, 25), identity(45, 990, 45)]
    axis, values = align(curves)
    n, mean, low, high = estimate_steps(values, Methods())
    np.testing.assert_allclose(mean, axis, rtol=1e-12)
    shared = (axis >= 45) & (axis <= 990)
    assert n[shared].tolist() == [3] * shared.sum()
    np.testing.assert_allclose(high[shared] - low[shared], 0, atol=1e-9)
    assert n[axis < 25].max() == 1
    assert n[axis > 990].max() == 2


def test_a_run_that_ends_early_counts_up_to_its_end_and_is_not_prolonged() -> None:
    axis, values = align([identity(0, 100, 10), identity(0, 35, 5)])
    n, mean, _, _ = estimate_steps(values, Methods())
    assert n[axis <= 35].min() == 2
    assert n[axis > 35].max() == 1
    np.testing.assert_allclose(mean, axis)
