"""What a sweep has found: its trials as rows, and the best of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.runs.files.plan import Run
from caduceus.runs.files.trial import Trial
from caduceus.runs.goal import Goal
from caduceus.sweeps.folders import SweepFolder, is_confirmation, result_of
from caduceus.sweeps.spaces import Space


@dataclass(frozen=True)
class TrialRow:
    """A trial that has ended.

    Attributes:
        trial: its number, or the name of a confirmation.
        runs: the ids of its runs, one for each seed.
        state: finished, failed if none of its runs has finished, or skipped.
        parameters: what the sweep chose, by the parameters' names, such as `optimizer.lr`.
        objective: the mean over its runs of the sweep's metric; None without any.
        objectives: those of its runs, in the order of `runs`.
        stopped_early: whether any of them was stopped early.
        started_at: when the first of them started, as ISO 8601; None if it was skipped.
        wall_s: seconds, summed over their attempts.
    """

    trial: str
    runs: tuple[str, ...]
    state: str
    parameters: dict[str, Any]
    objective: float | None
    objectives: tuple[float | None, ...]
    stopped_early: bool
    started_at: str | None
    wall_s: float


def read_trials(
    folder: SweepFolder, runs: Sequence[Run], space: Space
) -> tuple[list[TrialRow], list[TrialRow]]:
    """The trials of a sweep, and its confirmations, in the order of the plan.

    Args:
        folder: the sweep's.
        runs: those of its experiment's plan.
        space: the sweep's.
    """
    trials: dict[str, list[str]] = {}
    for run in runs:
        trials.setdefault(run.trial or "", []).append(run.id)
    rows = [_row(folder, trial, members, space) for trial, members in trials.items()]
    return (
        [row for row in rows if not is_confirmation(row.trial)],
        [row for row in rows if is_confirmation(row.trial)],
    )


def _row(folder: SweepFolder, name: str, runs: Sequence[str], space: Space) -> TrialRow:
    trial = Trial.read(folder.trial(name))
    ended = list(map(folder.read_train, runs))
    result = result_of(trial.trial, ended)
    return TrialRow(
        name,
        tuple(runs),
        result.state,
        space.flat(trial.parameters) if trial.parameters else {},
        result.objective,
        tuple(train.outcome.objective for train in ended),
        result.stopped_early,
        min(
            (a.started_at for train in ended for a in train.attempts if a.started_at),
            default=None,
        ),
        sum(train.compute.wall_s for train in ended),
    )


def best_so_far(rows: Sequence[TrialRow], goal: Goal) -> Iterator[float | None]:
    """The best objective up to each trial, in their order; None before the first one."""
    best: float | None = None
    for row in rows:
        if row.state == "finished" and row.objective is not None:
            best = row.objective if best is None else goal.better(best, row.objective)
        yield best


def best_of(rows: Sequence[TrialRow], goal: Goal) -> TrialRow | None:
    """The row with the best objective, of equal ones the first; None if none has one."""
    ended = [
        (row.objective, row)
        for row in rows
        if row.state == "finished" and row.objective is not None
    ]
    return min(ended, key=lambda pair: goal.sign * pair[0], default=(None, None))[1]
