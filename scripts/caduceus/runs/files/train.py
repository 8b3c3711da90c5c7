"""train.json: how the training of a run ended; of a remote trial outcome.json says the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from caduceus.io.files import FileDigest
from caduceus.io.json_records import Record
from caduceus.runs.files.attempt import Attempt


@dataclass(frozen=True, kw_only=True)
class Compute(Record):
    """Sums over all attempts of a run.

    Attributes:
        wall_s: seconds.
        cpu_s: processor seconds.
        lost_s: seconds that no later attempt used.
        gpu_s: seconds for which its GPUs were taken, summed over them; a share of a GPU counts as
            such.
        peak_memory_gb: 10^9 bytes, the largest process of any attempt.
    """

    wall_s: float
    cpu_s: float = 0.0
    lost_s: float = 0.0
    gpu_s: float = 0.0
    peak_memory_gb: float = 0.0

    @classmethod
    def of(cls, attempts: Sequence[Attempt]) -> "Compute":
        """Sum up attempts."""
        return cls(
            wall_s=round(sum(attempt.wall_s for attempt in attempts), 3),
            cpu_s=round(sum(attempt.cpu_s or 0 for attempt in attempts), 3),
            lost_s=round(sum(attempt.lost_s or 0 for attempt in attempts), 3),
            gpu_s=round(sum(attempt.gpu_s for attempt in attempts), 3),
            peak_memory_gb=max(attempt.peak_memory_gb or 0 for attempt in attempts),
        )


@dataclass(frozen=True, kw_only=True)
class TrialOutcome(Record):
    """The result of a sweep's run.

    Attributes:
        objective: the sweep's metric; None if the run failed or has no value.
        stopped_at: the rung at which it was stopped early; None if it wasn't.
        bands: its value and its best value at each rung, by the rung.
        is_logged: whether it logged the metric at all, and the axis of hyperband if there is one.
        logged: if it didn't, the names of what it logged.
    """

    objective: float | None
    stopped_at: int | None
    bands: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    is_logged: bool = True
    logged: tuple[str, ...] = ()


NO_OUTCOME = TrialOutcome(objective=None, stopped_at=None, is_logged=False)


@dataclass(frozen=True, kw_only=True)
class Train(Record):
    """The content of train.json.

    Attributes:
        run: the run's id.
        state: `finished`, `failed`, or `skipped` of a trial that its sweep doesn't need.
        exit_code: of the last attempt; None if a signal ended it.
        error: why the last attempt failed, in one line.
        output: the files the program left, by their paths in output/.
        compute: what all attempts cost.
        attempts: oldest first.
        trial: the result of a sweep's run.
    """

    run: str
    state: str
    exit_code: int | None = None
    error: str | None = None
    output: Mapping[str, FileDigest] = field(default_factory=dict)
    compute: Compute
    attempts: tuple[Attempt, ...]
    trial: TrialOutcome | None = None

    optional = ("trial",)
    mend = (
        "delete it, and the next `snakemake` writes it again; a run that has finished isn't "
        "trained again"
    )

    @classmethod
    def of(cls, run_id: str, attempts: Sequence[Attempt]) -> "Train":
        """Sum up a run that has ended, from its attempts."""
        last = attempts[-1]
        return cls(
            run=run_id,
            state=last.state,
            exit_code=last.exit_code,
            error=last.error,
            output=last.output,
            compute=Compute.of(attempts),
            attempts=tuple(attempts),
        )

    @classmethod
    def skipped(cls, run_id: str) -> "Train":
        """Describe a trial that its sweep doesn't need: it was never started."""
        compute = Compute(wall_s=0.0)
        return cls(run=run_id, state="skipped", compute=compute, attempts=(), trial=NO_OUTCOME)

    @property
    def outcome(self) -> TrialOutcome:
        """The result of a sweep's run; an empty one of a run without a sweep."""
        return self.trial or NO_OUTCOME

    @property
    def kept_s(self) -> float:
        """The seconds that led to its result: all attempts, less what was lost."""
        return self.compute.wall_s - self.compute.lost_s
