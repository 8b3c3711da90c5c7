"""Metrics as experiments and the paper name them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from caduceus.io.files import Json
from caduceus.io.json_records import Record
from caduceus.runs.goal import Goal

_AXIS_WORDS = {"_step": "step", "_runtime": "time"}


def axis_word(axis: str) -> str:
    """Return the name of an axis in a sentence."""
    return _AXIS_WORDS.get(axis, axis)


def default_axis(declared: Sequence[str]) -> str:
    """Return the axis that all runs declare; `_step` if they declare different ones."""
    return declared[0] if len(declared) == 1 else "_step"


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
        at: the value of an axis at which it is taken: of the one that the runs declare for it, or
            of the one that a mapping such as `{"global_step": 1000}` names.
        best_by: the metric that chooses the step; without it and `at`, the run's summary counts.
        goal: which values are better; None if it isn't declared.
        percent: whether it is shown in percent; None if the entry of the paper says it.
        range: its least and its greatest value, None for no bound; None if it isn't declared.
    """

    name: str
    at: Mapping[str, float] | float | None = None
    best_by: BestBy | None = None
    goal: Goal | None = None
    percent: bool | None = None
    range: tuple[float | None, ...] | None = None

    optional = ("at", "best_by", "percent", "range")

    @classmethod
    def of(cls, value: Json) -> Self:
        """Return the metric that JSON has as `brief`: its name alone, or an object."""
        return cls.from_json({"name": value} if isinstance(value, str) else value)

    @property
    def brief(self) -> Json:
        """The name alone, if nothing else is declared; else the JSON object."""
        declared = (self.at, self.best_by, self.goal, self.percent, self.range)
        return self.to_json() if any(each is not None for each in declared) else self.name

    @property
    def axis(self) -> str | None:
        """The axis that `at` names; None for the one that the runs declare."""
        return next(iter(self.at)) if isinstance(self.at, Mapping) else None

    @property
    def position(self) -> float | None:
        """The value of the axis at which it is taken."""
        return next(iter(self.at.values())) if isinstance(self.at, Mapping) else self.at

    def place(self, declared: str = "_step") -> str:
        """Return where on the axis it is taken, such as "global_step 1000".

        Args:
            declared: the axis that the runs declare for it.
        """
        axis = self.axis or declared
        return f"{axis_word(axis)} {self.position}"

    @property
    def words(self) -> str:
        """Its name, and where in a run it is taken."""
        if self.at is not None:
            return f"{self.name} at {self.place()}"
        return f"{self.name} at the best {self.best_by.name}" if self.best_by else self.name

    @property
    def is_summary(self) -> bool:
        """Whether it is taken from the run's summary."""
        return self.at is None and self.best_by is None
