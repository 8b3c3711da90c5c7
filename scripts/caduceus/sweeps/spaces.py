"""The search space of a sweep: its parameters, nested or not, and configurations in it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from caduceus.sweeps.distributions import Distribution

if TYPE_CHECKING:
    from numpy.random import Generator

Path = tuple[str, ...]  # of a nested parameter: ("optimizer", "lr")
Configuration = dict[str, Any]  # a value for every parameter, nested as in the file


@dataclass(frozen=True)
class Parameter:
    """A parameter and the distribution of its values."""

    path: Path
    distribution: Distribution

    @property
    def name(self) -> str:
        """Its path joined by dots: `optimizer.lr`."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Space:
    """All parameters, constants included, in the order of the file."""

    parameters: tuple[Parameter, ...]

    @cached_property
    def _sorted(self) -> list[Parameter]:
        """The parameters in W&B's order, which is by name at every level."""
        return sorted(self.parameters, key=lambda parameter: parameter.path)

    def sample(self, rng: "Generator") -> Configuration:
        """Draw a random configuration.

        Each parameter that isn't constant takes one number from `rng`, in the order of the names.
        So the order of the parameters in the file has no effect.
        """
        values = {
            parameter.path: parameter.distribution.ppf(
                0.0 if parameter.distribution.kind == "constant" else float(rng.random())
            )
            for parameter in self._sorted
        }
        return self.nest(values)

    @cached_property
    def grid_size(self) -> int | None:
        """The number of configurations in the grid; None if W&B supports no grid of a parameter."""
        axes = self._axes
        return None if axes is None else math.prod(map(len, axes.values()))

    def grid(self) -> Iterator[Configuration]:
        """Return every configuration of the grid, in W&B's order: the last name changes fastest.

        Raises:
            ValueError: a parameter has no grid.
        """
        if self.grid_size is None:
            raise ValueError("a grid needs listed values")
        return map(self.grid_point, range(self.grid_size))

    def grid_point(self, number: int) -> Configuration:
        """Return configuration `number` of the grid without enumerating those before it.

        Raises:
            IndexError: the grid is smaller, or there is none.
        """
        axes = self._axes
        if axes is None or not 0 <= number < math.prod(map(len, axes.values())):
            raise IndexError(f"the grid has no configuration {number}")
        values = {}
        for path, axis in reversed(axes.items()):
            number, index = divmod(number, len(axis))
            values[path] = axis[index]
        return self.nest(values)

    @cached_property
    def _axes(self) -> dict[Path, Sequence[Any]] | None:
        axes = {}
        for parameter in self._sorted:
            axis = parameter.distribution.grid
            if axis is None:
                return None
            axes[parameter.path] = axis
        return axes

    @property
    def names(self) -> Configuration:
        """A configuration without values."""
        return self.nest({parameter.path: None for parameter in self.parameters})

    def nest(self, values: Mapping[Path, Any]) -> Configuration:
        """Return the nested configuration with these values, in the order of the file."""
        nested: Configuration = {}
        for parameter in self.parameters:
            below = nested
            for key in parameter.path[:-1]:
                below = below.setdefault(key, {})
            below[parameter.path[-1]] = values[parameter.path]
        return nested

    def part(self, configuration: Mapping[str, Any]) -> Configuration:
        """Return the part of `configuration` that consists of the sweep's parameters.

        Raises:
            KeyError: `configuration` lacks a parameter.
        """
        values = self.flat(configuration)
        return self.nest({each.path: values[each.name] for each in self.parameters})

    def flat(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values in `configuration` by the parameters' names, such as `optimizer.lr`.

        Raises:
            KeyError: `configuration` lacks a parameter.
        """
        values = {}
        for parameter in self.parameters:
            value: Any = configuration
            for key in parameter.path:
                value = value[key]
            values[parameter.name] = value
        return values
