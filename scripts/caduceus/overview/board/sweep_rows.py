"""Sweeps: their trials so far, the best of them, and which were stopped early."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from caduceus.errors import ResultError
from caduceus.io.csv_rows import read_rows
from caduceus.overview.board.tracked_run import TrackedRun
from caduceus.runs.files.train import NO_OUTCOME, Train, TrialOutcome
from caduceus.runs.goal import Goal
from caduceus.runs.variants import leaves
from caduceus.sweeps.folders import SweepFolder, result_of

_WIDE = 50.0  # greatest over least positive value, from which on an axis is logarithmic

Row = dict[str, Any]


def sweep_row(folder: SweepFolder, runs: Sequence[TrackedRun]) -> Row:
    """Return a sweep's progress and its best trial so far.

    A damaged sweep.json is the row's `error`.
    """
    try:
        return _sweep_row(folder, runs)
    except (ResultError, OSError) as error:
        row: Row = dict.fromkeys(("method", "metric", "goal", "best"))
        about = {"sweep": folder.path.name, "experiment": folder.experiment_id}
        states = Counter(tracked.state for tracked in runs)
        counts = {"planned": len(runs), "states": states, "stopped_early": 0}
        return row | about | counts | {"error": str(error)}


def _sweep_row(folder: SweepFolder, runs: Sequence[TrackedRun]) -> Row:
    plan = folder.read_plan()
    trials = _trials(folder, runs, plan.config.goal)
    return {
        "sweep": folder.path.name,
        "experiment": folder.experiment_id,
        "method": plan.config.method,
        "metric": plan.config.metric.name if plan.config.metric else None,
        "goal": str(plan.config.goal),
        "planned": len({trial["trial"] for trial in trials}),
        "states": Counter(tracked.state for tracked in runs),
        "stopped_early": sum(trial["is_stopped"] for trial in trials),
        "best": _best(trials, plan.config.goal),
        "error": None,
    }


def _best(trials: Sequence[Row], goal: Goal) -> Row | None:
    """Return the best trial by the mean of its runs; None before all runs of one have ended."""
    decided = [trial for trial in trials if trial["mean"] is not None]
    best = min(decided, key=lambda trial: goal.sign * trial["mean"], default=None)
    return best and {"trial": best["trial"], "run": best["run"], "objective": best["mean"]}


def sweep_details(folder: SweepFolder, runs: Sequence[TrackedRun]) -> Row:
    """Return a sweep with all trials and parameters.

    Raises:
        ResultError: its sweep.json is damaged.
    """
    trials = _trials(folder, runs, folder.read_plan().config.goal)
    importance = folder.path / "importance.csv"
    return _sweep_row(folder, runs) | {
        "parameters": _parameters([trial["parameters"] for trial in trials]),
        "trials": trials,
        "importance": read_rows(importance) if importance.exists() else [],
    }


def _trials(folder: SweepFolder, runs: Sequence[TrackedRun], goal: Goal) -> list[Row]:
    """Return the runs of a sweep; `mean` of each is that of its trial, once that has ended."""
    trains = {tracked.run: _read_train(folder, tracked) for tracked in runs}
    of_trial: dict[int | str, list[Train | None]] = {}
    for tracked in runs:
        of_trial.setdefault(_number(tracked), []).append(trains[tracked.run])
    means = {number: _mean(number, found) for number, found in of_trial.items()}
    found: list[Row] = []
    best: float | None = None
    for tracked in runs:
        train, number = trains[tracked.run], _number(tracked)
        outcome = train.outcome if train else NO_OUTCOME
        if (mean := means[number]) is not None:
            best = mean if best is None else goal.best([best, mean])
        given = tracked.about.get("parameters")
        found.append(
            {
                "trial": number,
                "run": tracked.run,
                "seed": tracked.about.get("seed"),
                "state": tracked.state,
                "parameters": given if isinstance(given, Mapping) else {},
                "objective": outcome.objective if train and train.state == "finished" else None,
                "mean": mean,
                "is_stopped": outcome.stopped_at is not None,
                "why": _why(outcome, outcome.stopped_at) if outcome.stopped_at else None,
                "best_so_far": best,
            }
        )
    return found


def _read_train(folder: SweepFolder, tracked: TrackedRun) -> Train | None:
    """Return how a run of the sweep ended; None if it hasn't, or its row says it is damaged."""
    try:
        return folder.read_train(tracked.run)
    except (ResultError, OSError):
        return None


def _number(tracked: TrackedRun) -> int | str:
    """Return the number of a run's trial; a confirmation of the best one has a name."""
    name = str(tracked.about.get("trial") or "")
    return int(name) if name.isdecimal() else name


def _mean(number: int | str, trains: Sequence[Train | None]) -> float | None:
    """Return a trial's objective as the sweep's export has it; None before all runs have ended."""
    known = [train for train in trains if train is not None]
    if isinstance(number, str) or len(known) < len(trains):
        return None
    result = result_of(number, known)
    return result.objective if result.state == "finished" else None


def _why(outcome: TrialOutcome, rung: int) -> str:
    reached = outcome.bands.get(str(rung))
    value = f", where its best value was {reached[-1]:.4g}" if reached else ""
    return f"stopped early at {rung}{value}: too many earlier trials were better there"


def _parameters(chosen: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return the parameters that differ between trials, each with the range of its values."""
    flat = [dict(leaves(parameters)) for parameters in chosen]
    found: list[Row] = []
    for name in dict.fromkeys(name for parameters in flat for name in parameters):
        values = [parameters[name] for parameters in flat if name in parameters]
        distinct = {str(value): value for value in values}
        if len(distinct) < 2:
            continue
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        if len(numbers) == len(values) and len(distinct) > 2:
            low, high = min(numbers), max(numbers)
            is_wide = low > 0 and high / low >= _WIDE
            scale = "log" if is_wide else "linear"
            found.append({"name": name, "kind": "number", "scale": scale, "low": low, "high": high})
        else:
            found.append({"name": name, "kind": "choice", "values": list(distinct.values())})
    return found
