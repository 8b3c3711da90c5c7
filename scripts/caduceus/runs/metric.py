"""Metrics as experiments and the paper name them."""

from dataclasses import dataclass

from caduceus.io.json_records import Record
from caduceus.runs.goal import Goal


@dataclass(frozen=True)
class BestBy:
    """The metric whose best value chooses the step at which another one is taken."""

    name: str
    goal: Goal


@dataclass(frozen=True, kw_only=True)
class Metric(Record):
    """A metric, and where in a run it is taken.

    Attributes:
        name: the name under which runs log it.
        at: the step at which it is taken, or the last row before it that has the metric.
        best_by: the metric that chooses the step; without it and `at`, the run's summary counts.
        goal: which values are better; None if it isn't declared.
    """

    name: str
    at: int | None = None
    best_by: BestBy | None = None
    goal: Goal | None = None

    optional = ("at", "best_by")
