"""Find the point of a space with the greatest value of a function that is quick to compute."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from caduceus.sweeps.coordinates import Coordinates

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_DRAWN = 1024  # points anywhere
_NEAR = ((0.1, 40), (0.02, 40))  # steps from each of the best known points, and how many
_KEPT = 6  # points that are improved
_MOVES = 24  # of each, in a round
_ROUNDS = 16
_FIRST_STEP, _SHRINKS = 0.1, 0.7


def maximize(
    value: "Callable[[Array], Array]", coordinates: Coordinates, near: "Array", rng: "Generator"
) -> "Array":
    """Return the best point found (axes,).

    Points are drawn anywhere and around `near`. The best are improved by steps in random directions
    that become shorter, which needs no gradient and suits numbers, levels and labels alike.

    Args:
        value: returns the value of each point (points, axes).
        coordinates: of the space.
        near: points around which the greatest value may lie (points, axes).
        rng: draws the points.
    """
    drawn = [coordinates.at(rng.random((_DRAWN, len(coordinates.axes))))]
    drawn += [coordinates.moved(near.repeat(count, axis=0), step, rng) for step, count in _NEAR]
    points = np.concatenate(drawn)
    values = value(points)
    kept = np.argsort(-values, kind="stable")[:_KEPT]
    points, values = points[kept], values[kept]
    step = _FIRST_STEP
    for _ in range(_ROUNDS):
        others = coordinates.moved(points.repeat(_MOVES, axis=0), step, rng)
        found = value(others).reshape(len(points), _MOVES)
        best = found.argmax(axis=1)
        rows = np.arange(len(points))
        is_better = found[rows, best] > values
        points = np.where(is_better[:, None], others[rows * _MOVES + best], points)
        values = np.maximum(values, found[rows, best])
        step *= _SHRINKS
    best_of_all: Array = points[values.argmax()]
    return best_of_all
