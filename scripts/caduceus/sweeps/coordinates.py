"""The configurations of a space as points, for a model.

A point has a coordinate for each parameter that varies. That of a number is in [0, 1]: its
cumulative probability if the parameter is continuous, else the place of its level. That of a label
is its index.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from caduceus.sweeps.spaces import Configuration, Parameter, Space

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Up to this number, levels are equally far apart; more lie where their probability does, such as
# the integers of a log-uniform distribution.
_MOST_EQUAL = 16
_LEAST_MOVED = 0.4  # the share of its coordinates that a point is moved in, if it has several


class Axis:
    """A parameter that varies.

    Attributes:
        parameter: the parameter.
        is_label: whether its levels are labels.
        places: the coordinate of each level (levels,); None if it is continuous.
    """

    def __init__(self, parameter: Parameter):
        self.parameter = parameter
        distribution = parameter.distribution
        self.is_label = distribution.kind == "categorical"
        self.places: Array | None = None
        self._ends: list[float] = []  # the cumulative probability of each level
        if distribution.levels is not None:
            self._ends = [distribution.cdf(level) for level in distribution.levels]
            self.places = np.arange(len(self._ends), dtype=float)
            if not self.is_label:
                self.places = _spread(self._ends)

    @property
    def probabilities(self) -> "Array":
        """The probability of each level; empty if it is continuous."""
        return np.diff(self._ends, prepend=0.0)

    def coordinate(self, value: Any) -> float:
        """Return the coordinate of a value.

        A value of a grid that lies between two levels has the coordinate of the lower one.
        """
        share = self.parameter.distribution.cdf(value)
        return share if self.places is None else float(self.places[bisect_left(self._ends, share)])

    def value(self, coordinate: float) -> Any:
        """Return the value at a coordinate."""
        distribution = self.parameter.distribution
        if self.places is None or distribution.levels is None:
            return distribution.ppf(coordinate)
        return distribution.levels[int(np.argmin(np.abs(self.places - coordinate)))]

    def columns(self, coordinates: "Array") -> "Array":
        """Return what a model sees (points, columns): the number, or a column for each label.

        Two labels have a distance of 1.
        """
        if self.is_label and self.places is not None:
            is_label: NDArray[np.bool_] = coordinates[:, None] == self.places
            return np.where(is_label, math.sqrt(0.5), 0.0)
        return coordinates[:, None]

    def at(self, shares: "Array") -> "Array":
        """Return the coordinates at these shares of [0, 1], each level getting an equal part."""
        if self.places is None:
            return shares
        indices = np.minimum(shares * len(self.places), len(self.places) - 1).astype(int)
        found: Array = self.places[indices]
        return found

    def moved(self, coordinates: "Array", step: float, rng: "Generator") -> "Array":
        """Return other coordinates, about `step` away; at least one level away if there are any."""
        steps, shares = rng.normal(size=len(coordinates)), rng.random(len(coordinates))
        if self.places is None:
            unfolded = np.abs(coordinates + step * steps) % 2  # reflected at 0 and 1
            folded: Array = np.minimum(unfolded, 2 - unfolded)
            return folded
        if self.is_label:
            return self.at(shares)
        middles = (self.places[1:] + self.places[:-1]) / 2
        before = np.searchsorted(middles, coordinates)
        after = np.searchsorted(middles, coordinates + step * steps)
        after = np.where(after == before, before + np.where(shares < 0.5, 1, -1), after)
        found: Array = self.places[np.clip(after, 0, len(self.places) - 1)]
        return found


def _spread(ends: Sequence[float]) -> "Array":
    """Return coordinates from 0 to 1 for levels with these cumulative probabilities."""
    if len(ends) <= _MOST_EQUAL:
        return np.linspace(0.0, 1.0, len(ends))
    middles = np.array(ends) - np.diff(ends, prepend=0.0) / 2
    found: Array = (middles - middles[0]) / (middles[-1] - middles[0])
    return found


@dataclass(frozen=True)
class Coordinates:
    """The coordinates of a space's points.

    Attributes:
        space: the space.
        axes: of the parameters that vary.
    """

    space: Space
    axes: tuple[Axis, ...]

    @classmethod
    def of(cls, space: Space) -> "Coordinates":
        """Return the coordinates of a space."""
        varied = [p for p in space.parameters if p.distribution.kind != "constant"]
        return cls(space, tuple(map(Axis, varied)))

    @property
    def are_listed(self) -> bool:
        """Whether all parameters have levels, so that a point may come twice."""
        return all(axis.places is not None for axis in self.axes)

    @property
    def groups(self) -> "NDArray[np.int_]":
        """The parameter of each column of `columns`."""
        widths = [1 if a.places is None or not a.is_label else len(a.places) for a in self.axes]
        return np.repeat(np.arange(len(widths)), widths)

    def point(self, configuration: Mapping[str, Any]) -> list[float]:
        """Return the point of a configuration."""
        return self.point_of(self.space.flat(configuration))

    def point_of(self, values: Mapping[str, Any]) -> list[float]:
        """Return the point with these values, by the parameters' names such as `optimizer.lr`."""
        return [axis.coordinate(values[axis.parameter.name]) for axis in self.axes]

    def configuration(self, point: "Array") -> Configuration:
        """Return the configuration at a point."""
        values = {p.path: p.distribution.ppf(0.0) for p in self.space.parameters}
        for axis, coordinate in zip(self.axes, point, strict=True):
            values[axis.parameter.path] = axis.value(float(coordinate))
        return self.space.nest(values)

    def columns(self, points: "Array") -> "Array":
        """Return what a model sees of (points, axes): (points, columns)."""
        found = [axis.columns(points[:, place]) for place, axis in enumerate(self.axes)]
        return np.concatenate(found, axis=1)

    def eccentricities(self, points: "Array") -> "Array":
        """Return the squared distances from the centre of (points, axes): (points,).

        Axes with up to `_MOST_EQUAL` levels don't count, since the best is often their first or
        last level.
        """
        is_counted = [
            a.places is None or (not a.is_label and len(a.places) > _MOST_EQUAL) for a in self.axes
        ]
        found: Array = ((points[:, is_counted] - 0.5) ** 2).sum(axis=1)
        return found

    def at(self, shares: "Array") -> "Array":
        """Return the points at these shares of [0, 1] (points, axes)."""
        return np.stack([a.at(shares[:, place]) for place, a in enumerate(self.axes)], axis=1)

    def moved(self, points: "Array", step: float, rng: "Generator") -> "Array":
        """Return points that differ from (points, axes) in at least one coordinate."""
        count, axes = points.shape
        is_moved = rng.random((count, axes)) < _LEAST_MOVED
        is_moved[np.arange(count), rng.integers(axes, size=count)] = True
        others = [axis.moved(points[:, place], step, rng) for place, axis in enumerate(self.axes)]
        return np.where(is_moved, np.stack(others, axis=1), points)
