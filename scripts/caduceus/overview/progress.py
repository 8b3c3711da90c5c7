"""The progress of a running run, read from its growing log."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from caduceus.runs.files.attempt import Attempt, Restored
from caduceus.runs.files.export import Summary
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import logs_of_attempt
from caduceus.wandb_log import RowWatch, has_rows


@dataclass(frozen=True)
class Progress:
    """The progress of a run.

    Attributes:
        step: the step of its last row; None before the first row.
        steps: the steps that finished runs of its variant have; None if none has finished.
        elapsed_s: seconds since its attempt started.
        left_s: estimated seconds until it finishes, from its own pace or else from the duration of
            similar runs; negative if it takes longer than they did.
    """

    step: int | None
    steps: int | None
    elapsed_s: float
    left_s: float | None


def last_step(folder: RunFolder, attempt: Attempt) -> int | None:
    """Return the step of the last row that an attempt has logged; None before the first row."""
    logs = [path for path in logs_of_attempt(folder, attempt.number) if has_rows(path)]
    if not logs:
        return None
    with closing(RowWatch(logs[-1])) as watch:
        return watch.last_step()


def usual_steps(finished: Iterable[RunFolder]) -> int | None:
    """Return the number of steps of the first finished run that has one; None if none has."""
    for folder in finished:
        summary = Summary.read_if_there(folder.summary_json)
        step = summary and summary.summary.get("_step")
        if isinstance(step, int):
            return int(step) + 1
    return None


def progress_of(
    folder: RunFolder,
    attempt: Attempt,
    steps: int | None,
    usual_s: float | None,
    now: datetime | None = None,
) -> Progress:
    """Return the progress of a run.

    Args:
        folder: the run's folder.
        attempt: the running attempt.
        steps: how many steps the run will have, if known.
        usual_s: seconds that such a run takes, if known.
        now: the time; None for the clock's.
    """
    started = datetime.fromtimestamp(attempt.start_s, UTC)
    elapsed_s = ((now or datetime.now(UTC)) - started).total_seconds()
    step = last_step(folder, attempt)
    left_s = estimate_left_s(elapsed_s, step, first_step(folder, attempt), steps, usual_s)
    return Progress(step, steps, elapsed_s, left_s)


def first_step(folder: RunFolder, attempt: Attempt) -> int:
    """Return the first step of an attempt by the checkpoint that it restored; 0 without one."""
    restored = Restored.read_if_there(folder.restored(attempt.number))
    return (restored and restored.resumed_from) or 0


def estimate_left_s(
    elapsed_s: float, step: int | None, first: int, steps: int | None, usual_s: float | None
) -> float | None:
    """Estimate the seconds until a run finishes; negative if it takes longer than similar runs.

    Args:
        elapsed_s: seconds since its attempt started.
        step: the step of its last row; None before the first row.
        first: the first step of the attempt.
        steps: how many steps the run will have, if known.
        usual_s: seconds that such a run takes, if known.
    """
    if step is not None and steps is not None and step >= first:
        return max(0.0, elapsed_s * (steps - step - 1) / (step + 1 - first))
    return None if usual_s is None else usual_s - elapsed_s
