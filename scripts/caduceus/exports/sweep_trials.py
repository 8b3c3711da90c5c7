"""The results of a sweep: its trials as rows, and the best of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from caduceus.io.files import Json
from caduceus.runs.equal_seeds import equal_seeds, repeats
from caduceus.runs.files.plan import Run
from caduceus.runs.files.trial import Trial
from caduceus.runs.folder import RunFolder
from caduceus.runs.goal import Goal
from caduceus.runs.record import RunRecord
from caduceus.sweeps.folders import SweepFolder, is_confirmation, result_of
from caduceus.sweeps.spaces import Space


@dataclass(frozen=True)
class TrialRow:
    """A trial that has ended.

    Attributes:
        trial: its number, or the name of a confirmation.
        runs: the ids of its runs, one for each seed.
        state: finished, failed if none of its runs has finished, or skipped.
        parameters: the values that the sweep chose, by name, such as `optimizer.lr`.
        objective: the mean of its runs' objectives; None if none has one.
        objectives: its runs' objectives, in the order of `runs`.
        stopped_early: whether any run was stopped early.
        started_at: the start of its first run, as ISO 8601; None if it was skipped.
        wall_s: seconds, summed over all attempts of its runs.
    """

    trial: str
    runs: tuple[str, ...]
    state: str
    parameters: Mapping[str, Json]
    objective: float | None
    objectives: tuple[float | None, ...]
    stopped_early: bool
    started_at: str | None
    wall_s: float


def read_trials(
    folder: SweepFolder, runs: Sequence[Run], space: Space
) -> tuple[list[TrialRow], list[TrialRow]]:
    """Return the trials of a sweep and its confirmations, each in the order of the plan.

    Args:
        folder: the sweep's folder.
        runs: the runs of its experiment's plan.
        space: the space that it searches.
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


def counted_objectives(row: TrialRow, folder: SweepFolder, folds: int | None) -> list[float]:
    """Return the objectives of a trial's runs; of equal seeds that count once that of the first."""
    records = (RunRecord(RunFolder(folder.run(run))) for run in row.runs)
    repeated = repeats(equal_seeds((each for each in records if each.exported), folds))
    objectives = zip(row.runs, row.objectives, strict=True)
    return [value for run, value in objectives if value is not None and run not in repeated]


def best_so_far(rows: Sequence[TrialRow], goal: Goal) -> Iterator[float | None]:
    """Yield the best objective up to each trial; None before the first objective."""
    best: float | None = None
    for row in rows:
        if row.state == "finished" and row.objective is not None:
            best = row.objective if best is None else goal.better(best, row.objective)
        yield best


def best_of(rows: Sequence[TrialRow], goal: Goal) -> TrialRow | None:
    """Return the row with the best objective, the first if several have it; None without any."""
    ended = [
        (row.objective, row)
        for row in rows
        if row.state == "finished" and row.objective is not None
    ]
    return min(ended, key=lambda pair: goal.sign * pair[0], default=(None, None))[1]
