"""trials/T.json of a sweep: what the sweep chose for a trial, and by which results."""

from collections.abc import Mapping
from dataclasses import dataclass

from caduceus.io.files import Json
from caduceus.io.json_records import Record


@dataclass(frozen=True, kw_only=True)
class TrialResult(Record):
    """The result of a trial, over its runs.

    Attributes:
        trial: its number; None of a confirmation that is skipped.
        state: `finished`, `skipped`, or `failed` if none of its runs has finished.
        objective: the mean over the runs that have an objective; None if none has.
        stopped_early: whether any run was stopped early.
        bands: for each run, its value and its best value at each rung that it has reached.
    """

    trial: int | None
    state: str
    objective: float | None
    stopped_early: bool
    bands: tuple[Mapping[str, tuple[float, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Assignment(Record):
    """A trial that a W&B server chose.

    Attributes:
        agent: the server's id of the agent that asked for it.
        run: the server's id of its run.
        place: the server and the project.
    """

    agent: str
    run: str
    place: str


@dataclass(frozen=True, kw_only=True)
class KnownRun(Record):
    """A run that had ended before the sweep was started.

    Attributes:
        run: its id.
        parameters: its configuration, nested as in the sweep's.
        objective: the best value of the sweep's metric.
    """

    run: str
    parameters: Mapping[str, Json]
    objective: float


@dataclass(frozen=True, kw_only=True)
class Trial(Record):
    """The content of a trial's file.

    Attributes:
        trial: its number; of a confirmation that of the confirmed trial, None if it is skipped.
        parameters: what the sweep chose, nested as in its configuration; None if it is skipped.
        told: the observation that came in since the trial before it; None if there is none.
        handed_out: the assignment of a W&B server; None if Caduceus chose the trial.
        search: the version of Caduceus's own search that suggests the sweep's trials; None if
            something else does.
        known: of trial 0, the runs that the search learns from besides the trials.
    """

    trial: int | None
    parameters: Mapping[str, Json] | None = None
    told: TrialResult | None = None
    handed_out: Assignment | None = None
    search: int | None = None
    known: tuple[KnownRun, ...] | None = None

    mend = (
        "delete it, and the next `snakemake` writes it again; a trial that has run keeps its "
        "parameters"
    )
    optional = ("handed_out", "search", "known")

    @property
    def is_skipped(self) -> bool:
        """Whether the sweep doesn't need the trial."""
        return self.parameters is None


@dataclass(frozen=True, kw_only=True)
class TrialAhead(Record):
    """work/ahead/T.json: a trial that was suggested before its own job started.

    Attributes:
        given: the digest of all that the suggestion depends on.
        trial: the trial.
    """

    given: str
    trial: Trial
