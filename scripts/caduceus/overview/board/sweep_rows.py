"""Sweeps: their trials so far, the best of them, and which were stopped early."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from caduceus.errors import ResultError
from caduceus.io.csv_rows import read_rows
from caduceus.overview.board.tracked_run import TrackedRun
from caduceus.runs.files.train import Train
from caduceus.runs.goal import Goal
from caduceus.runs.variants import leaves
from caduceus.sweeps.folders import SweepFolder

_WIDE = 50.0  # greatest over least positive value, from which on an axis is logarithmic

Row = dict[str, Any]


def sweep_row(folder: SweepFolder, runs: Sequence[TrackedRun]) -> Row:
    """Return a sweep's progress and its best trial so far.

    Raises:
        ResultError: its sweep.json is damaged.
    """
    plan = folder.read_plan()
    trials = _trials(runs, plan.config.goal)
    decided = [trial for trial in trials if trial["objective"] is not None]
    sign = plan.config.goal.sign
    best = min(decided, key=lambda trial: sign * trial["objective"], default=None)
    return {
        "sweep": folder.path.name,
        "experiment": folder.experiment_id,
        "method": plan.config.method,
        "metric": plan.config.metric.name if plan.config.metric else None,
        "goal": str(plan.config.goal),
        "planned": len(runs),
        "states": Counter(tracked.state for tracked in runs),
        "stopped_early": sum(trial["is_stopped"] for trial in trials),
        "best": best and {name: best[name] for name in ("trial", "run", "objective")},
    }


def sweep_details(folder: SweepFolder, runs: Sequence[TrackedRun]) -> Row:
    """Return a sweep with all trials and parameters.

    Raises:
        ResultError: its sweep.json is damaged.
    """
    trials = _trials(runs, folder.read_plan().config.goal)
    importance = folder.path / "importance.csv"
    return sweep_row(folder, runs) | {
        "parameters": _parameters([trial["parameters"] for trial in trials]),
        "trials": trials,
        "importance": read_rows(importance) if importance.exists() else [],
    }


def _trials(runs: Sequence[TrackedRun], goal: Goal) -> list[Row]:
    found: list[Row] = []
    best: float | None = None
    for tracked in runs:
        outcome, stopped = None, None
        try:
            train = Train.read_if_there(tracked.folder.train_json)
        except (ResultError, OSError):
            train = None  # its row says that it is damaged
        if train is not None:
            outcome, stopped = train.outcome.objective, train.outcome.stopped_at
        if outcome is not None:
            best = outcome if best is None else goal.best([best, outcome])
        name = str(tracked.about.get("trial") or "")
        given = tracked.about.get("parameters")
        found.append(
            {
                "trial": int(name) if name.isdecimal() else name,
                "run": tracked.run,
                "seed": tracked.about.get("seed"),
                "state": tracked.state,
                "parameters": given if isinstance(given, Mapping) else {},
                "objective": outcome,
                "is_stopped": stopped is not None,
                "why": _why(train, stopped) if train and stopped is not None else None,
                "best_so_far": best,
            }
        )
    return found


def _why(train: Train, rung: int) -> str:
    reached = train.outcome.bands.get(str(rung))
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
