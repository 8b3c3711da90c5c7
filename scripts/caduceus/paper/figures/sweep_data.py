"""The input of a sweep's charts: its trials by how they ended, its axes and their span."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from caduceus.exports.sweep_trials import TrialRow
from caduceus.paper.figures.parameter_axes import (
    NAME_LETTERS,
    ParameterAxis,
    parameter_axis,
    shorten,
)
from caduceus.paper.figures.style import COLOURS
from caduceus.statistics.outliers import outlier_limit
from caduceus.sweeps.configs import SweepConfig

COLUMN, PAGE = 3.3, 6.8  # the width of a paper's column and of its page in inches
BEST_COLOUR = COLOURS[1]

End = Literal["finished", "stopped early", "failed", "no value", "beyond the axis"]


@dataclass(frozen=True)
class SweepData:
    """The trials of a sweep, and what its charts derive from them.

    Attributes:
        rows: the trials in order.
        config: of the sweep.
    """

    rows: Sequence[TrialRow]
    config: SweepConfig

    @property
    def metric(self) -> str:
        """The metric's name, as a label."""
        return shorten(self.config.metric_name or "", NAME_LETTERS)

    @cached_property
    def axes(self) -> list[ParameterAxis]:
        """The axes of all parameters that vary."""
        return [
            parameter_axis(parameter, [row.parameters[parameter.name] for row in self.rows])
            for parameter in self.config.space.parameters
            if parameter.distribution.kind != "constant"
        ]

    @cached_property
    def known(self) -> dict[int, float]:
        """The finite objectives of finished trials, by index in `rows`."""
        return {
            place: row.objective
            for place, row in enumerate(self.rows)
            if row.state == "finished"
            and row.objective is not None
            and math.isfinite(row.objective)
        }

    @cached_property
    def span(self) -> tuple[float, float]:
        """The least and greatest of `known`, without outliers on the worse side."""
        sign = self.config.goal.sign
        costs = [sign * value for value in self.known.values()]
        limit = outlier_limit(costs)
        shown = [sign * cost for cost in costs if cost <= limit]
        return min(shown), max(shown)

    @cached_property
    def best(self) -> int:
        """The index of the best trial; of equal ones the first."""
        return min(self.known, key=lambda place: self.config.goal.sign * self.known[place])

    @cached_property
    def ends(self) -> list[End]:
        """How each trial ended."""
        return [self._end(row, self.known.get(place)) for place, row in enumerate(self.rows)]

    def _end(self, row: TrialRow, value: float | None) -> End:
        if value is None:
            return "failed" if row.state == "failed" else "no value"
        low, high = self.span
        if not low <= value <= high:
            return "beyond the axis"
        return "stopped early" if row.stopped_early else "finished"

    @property
    def gap(self) -> str | None:
        """The reason why there are no objectives to show; None if there are some."""
        if self.config.metric_name is None:
            return "The sweep names no metric."
        if not self.rows:
            return "No trial has ended."
        return None if self.known else f"No trial has a value of {self.metric}."
