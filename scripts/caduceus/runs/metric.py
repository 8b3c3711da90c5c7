"""Metrics as experiments and the paper name them."""

from dataclasses import dataclass
from typing import Self

from caduceus.io.files import Json
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

    @classmethod
    def of(cls, value: Json) -> Self:
        """Return the metric that JSON has as `brief`: its name alone, or an object."""
        return cls.from_json({"name": value} if isinstance(value, str) else value)

    @property
    def brief(self) -> Json:
        """The name alone, if nothing else is declared; else the JSON object."""
        return self.name if self.is_summary and self.goal is None else self.to_json()

    @property
    def is_summary(self) -> bool:
        """Whether it is taken from the run's summary."""
        return self.at is None and self.best_by is None
