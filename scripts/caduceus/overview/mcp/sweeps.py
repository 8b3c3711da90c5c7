"""The tool that returns the progress and results of sweeps."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.overview.mcp.answers import Answer, page
from caduceus.overview.paper_methods import paper_methods
from caduceus.project.listed_runs import ListedRun, find_runs
from caduceus.runs.equal_seeds import equal_notes, equal_seeds
from caduceus.runs.goal import Goal
from caduceus.sweeps.folders import SweepFolder, find_sweep, is_confirmation

_MOST_SWEEPS = 20


def sweep_status(
    results: Path, sweep: str | None = None, offset: int = 0, limit: int = 10
) -> Answer:
    """Return a sweep's progress, best trials, confirmed configurations and important parameters.

    Args:
        sweep: its id or its experiment's; without it, list all sweeps or show the only one.
        offset: how many of the best trials to skip.
        limit: how many trials at most.

    Returns:
        method, metric, goal, runs by state; trials, the best objective first, each with its number
        of runs n; confirmed configurations with n, mean and 95 % interval; best, only if fresh
        seeds confirmed it; importance of parameters, as shares of the objective's variance; notes
        on confirming seeds with equal rows, which may count as one.
    """
    folders = [path.parent for path in sorted((results / "sweeps").glob("*/sweep.json"))]
    if not folders:
        raise ResultError("there is no sweep", str(results / "sweeps"))
    records = find_runs(results)
    if sweep is None and len(folders) > 1:
        found = [_brief(SweepFolder(folder), records) for folder in folders]
        return page("sweeps", found, offset, min(limit, _MOST_SWEEPS))
    return _detailed(find_sweep(results, sweep), records, offset, limit)


def _runs(folder: SweepFolder, records: Sequence[ListedRun]) -> list[ListedRun]:
    return [record for record in records if record.run.startswith(f"{folder.path.name}-")]


def _brief(folder: SweepFolder, records: Sequence[ListedRun]) -> Answer:
    config = folder.read_plan().config
    return {
        "sweep": folder.path.name,
        "experiment": folder.experiment_id,
        "method": config.method,
        "metric": config.metric and config.metric.name,
        "goal": config.goal if config.metric else None,
        "runs_by_state": Counter(record.state for record in _runs(folder, records)),
        "trials_suggested": len(list((folder.path / "trials").glob("[0-9]*.json"))),
    }


def _detailed(folder: SweepFolder, records: Sequence[ListedRun], offset: int, limit: int) -> Answer:
    answer = _brief(folder, records)
    sign = Goal(answer["goal"] or "minimize").sign
    trials = _trials(_runs(folder, records))
    trials.sort(key=lambda trial: sign * trial["objective"])
    answer |= page("trials", trials, offset, limit)
    answer |= {"confirmed": [], "best": None}
    table = folder.path / "trials.csv"
    if table.exists():
        from caduceus.paper.report.sections import read_sweep

        section = read_sweep(table)
        answer["stopped_early"] = section["stopped_early"]
        answer["importance"] = section["importance"][:12]
        answer["confirmed"] = [_confirmed(row) for row in section["confirmed"]]
        again = [each for each in _runs(folder, records) if is_confirmation(_trial(each))]
        answer["notes"] = equal_notes(
            equal_seeds(again, paper_methods(folder.path.parents[1]).folds)
        )
    known = [row for row in answer["confirmed"] if row["n"] > 1]
    if known:
        answer["best"] = min(known, key=lambda row: sign * row["mean"])
    else:
        answer["best_refused"] = (
            "the first of many trials may be the luckiest, so a configuration is called best only "
            "once fresh seeds confirmed it; write `confirm: 3` under `sweep` in the experiment"
        )
    return answer


def _trials(records: Sequence[ListedRun]) -> list[Answer]:
    """Return the trials with an objective, the mean over the runs that have one."""
    by_trial: dict[str, list[ListedRun]] = {}
    for record in records:
        by_trial.setdefault(_trial(record), []).append(record)
    found = []
    for trial, runs in by_trial.items():
        trained = [run for run in runs if run.train]  # `caduceus retry` may have cleared others
        ended = [run.train.outcome for run in trained if run.train]
        values = [one.objective for one in ended if one.objective is not None]
        if trial.startswith("t") and values:
            found.append(
                {
                    "trial": trial,
                    "n": len(values),
                    "objective": sum(values) / len(values),
                    "stopped_early": any(one.stopped_at is not None for one in ended),
                    "parameters": trained[0].params.parameters,
                    "runs": [run.run for run in runs],
                }
            )
    return found


def _trial(record: ListedRun) -> str:
    return str(record.summary.variant)


def _confirmed(row: Mapping[str, Any]) -> Answer:
    names = ("trial", "of_trial", "n", "mean", "low", "high", "parameters")
    return {name: row[name] for name in names}
