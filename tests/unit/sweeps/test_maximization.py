"""The greatest value of a function over a space."""

import numpy as np
import pytest
from caduceus.sweeps.coordinates import Coordinates
from caduceus.sweeps.maximization import maximize
from told_trials import sweep

NEAR = np.array([[0.5, 0.5]])


def coordinates_of(parameter: dict[str, object]) -> Coordinates:
    return Coordinates.of(sweep("bayes", {"x": parameter, "y": parameter}).space)


def test_a_narrow_peak_beside_a_broad_hill_is_found() -> None:
    peak, hill = np.array([0.123, 0.9]), np.array([0.5, 0.5])

    def value(points: np.ndarray) -> np.ndarray:
        return np.asarray(
            2 * np.exp(-((points - peak) ** 2).sum(axis=1) / 0.01)
            + np.exp(-((points - hill) ** 2).sum(axis=1))
        )

    unit = coordinates_of({"min": 0.0, "max": 1.0})
    found = maximize(value, unit, NEAR, np.random.default_rng(0))
    assert found == pytest.approx(peak, abs=0.003)
    assert (found == maximize(value, unit, NEAR, np.random.default_rng(0))).all()


def test_the_best_of_many_labels_and_levels_is_found() -> None:
    labels = coordinates_of({"values": [f"label {number}" for number in range(100)]})
    found = maximize(
        lambda points: -np.abs(points - [7, 93]).sum(axis=1),
        labels,
        np.array([[0.0, 0.0]]),
        np.random.default_rng(0),
    )
    assert found.tolist() == [7, 93]
    levels = coordinates_of({"min": 1, "max": 900})
    found = maximize(
        lambda points: -((points - 0.25) ** 2).sum(axis=1), levels, NEAR, np.random.default_rng(0)
    )
    assert found == pytest.approx([0.25, 0.25], abs=0.001)
