"""The export of a sweep: a table of its trials, the best one as an experiment, importances."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.exports.sweep_importance import Importance, importances
from caduceus.exports.sweep_trials import (
    TrialRow,
    best_of,
    best_so_far,
    counted_objectives,
    read_trials,
)
from caduceus.io.cells import render_or_null, to_csv
from caduceus.io.files import Json, write_json, write_whole
from caduceus.runs.files.export import Summary
from caduceus.runs.files.plan import Plan, Spec
from caduceus.runs.files.trial import Trial
from caduceus.runs.folder import RunFolder
from caduceus.runs.unknown_metrics import no_run_logged
from caduceus.runs.variants import leaves
from caduceus.statistics.estimates import estimate_mean
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.folders import SweepFolder

_LONGEST_ID = 48
# Keys of the sweep's experiment that the experiment of the best trial has too.
_KEPT = (
    "program",
    "command",
    "dataset",
    "resources",
    "code",
    "keep_checkpoints",
    "metric",
    "group",
)


@dataclass(frozen=True)
class ExportedSweep:
    """A sweep whose tables are written, for its figures.

    Attributes:
        folder: results/sweeps/SWEEP.
        trials: its trials in their order, without skipped ones.
        config: its configuration.
        importances: the importances of its parameters, greatest first; empty if there are none.
        message: the result in one line.
        failure: what is wrong if no trial has a value of its metric, or if it has no metric and
            all trials failed; else empty.
    """

    folder: Path
    trials: Sequence[TrialRow]
    config: SweepConfig
    importances: Sequence[Importance]
    message: str
    failure: str


def export_sweep(plan_json: Path, out: Path, folds: int | None) -> ExportedSweep:
    """Write trials.csv, confirmed.csv, best.json and importance.csv of a sweep.

    results/README.md says what is in each.

    Args:
        plan_json: the plan of its experiment, results/experiments/ID.json.
        out: results/sweeps/SWEEP/trials.csv.
        folds: see `equal_seeds`.
    """
    folder, plan = SweepFolder(out.parent), Plan.read(plan_json)
    config = folder.config()
    trials, confirmed = read_trials(folder, plan.runs, config.space)
    best = best_of(confirmed, config.goal) or best_of(trials, config.goal)
    failure = ""
    if best is None and config.metric_name is not None:
        failure = _no_result(config.metric_name, trials, folder)
    elif config.metric_name is None and all(row.state == "failed" for row in trials):
        failure = f"all {len(trials)} trials failed; results/runs/RUN/train.json says why each did"
    ran = [row for row in trials if row.state != "skipped"]
    found = importances(ran, config.space, config.goal)
    counted = _confirmed(confirmed, folder, folds)
    write_whole(folder.path / "confirmed.csv", to_csv(counted, _CONFIRMED))
    seeds = plan.spec.seeds
    if best is not None and config.drawn_seeds is not None:
        seeds = tuple(run.seed for run in plan.runs if run.id in best.runs)
    described = None if best is None else _experiment(plan.spec, best, seeds, folder)
    write_json(folder.path / "best.json", described)
    about = [vars(importance) for importance in found]
    write_whole(folder.path / "importance.csv", to_csv(about, _IMPORTANCE))
    write_whole(out, to_csv(_trials(trials, config), _TRIALS))
    message = sweep_line(folder.path.name, trials, confirmed, best, config)
    return ExportedSweep(folder.path, ran, config, found, message, failure)


def sweep_files(folder: Path) -> list[Path]:
    """Return the files of `export_sweep`."""
    return [
        folder / name for name in ("trials.csv", "confirmed.csv", "best.json", "importance.csv")
    ]


def _no_result(metric: str, trials: Sequence[TrialRow], folder: SweepFolder) -> str:
    """Return why none of the trials has a finite value of the metric."""
    runs = [RunFolder(folder.run(run)) for row in trials for run in row.runs]
    summaries = filter(None, (Summary.read_if_there(run.summary_json) for run in runs))
    finished = [each for each in summaries if each.state == "finished"]
    logged = sorted({name for each in finished for name, _ in leaves(each.summary)})
    if finished and metric not in logged:
        return no_run_logged(metric, logged)
    return (
        f"none of the {len(trials)} trials has a finite {metric}; results/runs/RUN/train.json says "
        "why each failed"
    )


_TRIALS = ("trial", "runs", "state", "objective", "best_so_far", "stopped_early")
_CONFIRMED = ("trial", "of_trial", "runs", "n", "mean", "low", "high")
_IMPORTANCE = ("name", "mean", "low", "high")


def sweep_line(
    sweep: str,
    trials: Sequence[TrialRow],
    confirmed: Sequence[TrialRow],
    best: TrialRow | None,
    config: SweepConfig,
) -> str:
    """Return how the trials of a sweep ended, and the best of them, if there is one."""
    counts = Counter(row.state for row in trials)
    parts = [f"{counts[state]} {state}" for state in ("failed", "skipped") if counts[state]]
    stopped = sum(row.stopped_early for row in trials)
    parts += [f"{stopped} stopped early"] if stopped else []
    line = f"{sweep}: {', '.join([f'{len(trials)} trials', *parts])}"
    if best is None or best.objective is None:
        return line
    chosen = " ".join(f"{name}={render_or_null(value)}" for name, value in best.parameters.items())
    how = _measured(best, " fresh" if best in confirmed else "")
    return f"{line}; best: {config.metric_name} {best.objective:.6g}, {how}, with {chosen}"


def _measured(best: TrialRow, kind: str = "") -> str:
    """Return what the objective of a trial is: no run's last value, but its best."""
    if len(best.runs) == 1:
        return "the best value that its run logged"
    return f"the mean of the best values that its {len(best.runs)}{kind} runs logged"


def _trials(rows: Sequence[TrialRow], config: SweepConfig) -> list[dict[str, Json]]:
    bests = best_so_far(rows, config.goal)
    return [
        {
            "trial": int(row.trial),
            "runs": " ".join(row.runs),
            "state": row.state,
            "objective": row.objective,
            "best_so_far": best,
            "stopped_early": row.stopped_early,
            **{f"config.{name}": value for name, value in row.parameters.items()},
            "started_at": row.started_at,
            "wall_s": row.wall_s,
        }
        for row, best in zip(rows, bests, strict=True)
    ]


def _confirmed(
    rows: Sequence[TrialRow], folder: SweepFolder, folds: int | None
) -> list[dict[str, Json]]:
    """Return each confirmed configuration with the mean of its runs and its 95 % interval.

    Equal seeds count as `equal_seeds` says.
    """
    return [
        {
            "trial": row.trial,
            "of_trial": Trial.read(folder.trial(row.trial)).trial,
            "runs": " ".join(row.runs),
            **_estimate(counted_objectives(row, folder, folds)),
        }
        | {f"config.{name}": value for name, value in row.parameters.items()}
        for row in rows
        if row.state != "skipped"
    ]


def _estimate(values: Sequence[float]) -> dict[str, Json]:
    if not values:
        return {"n": 0, "mean": None, "low": None, "high": None}
    found = estimate_mean(values)
    return {"n": found.n, "mean": found.value, "low": found.low, "high": found.high}


def _experiment(
    spec: Spec, best: TrialRow, seeds: Sequence[int], folder: SweepFolder
) -> dict[str, Json]:
    """Return an experiment that runs the best configuration on the seeds of the sweep."""
    chosen = Trial.read(folder.trial(best.trial)).parameters or {}
    return {
        "id": f"{spec.id[: _LONGEST_ID - len('-best')]}-best",
        "name": f"Best of {spec.name}",
        "type": "novel",
        "hypothesis": spec.hypothesis,
        "description": f"Trial {best.trial} of sweep {folder.path.name}; its result, "
        f"{best.objective:.6g}, is {_measured(best)}.",
        "parameters": {**spec.parameters, **chosen},
        **({"seeds": list(seeds)} if spec.lists_seeds else {}),
        **({} if spec.seed_argument == "seed" else {"seed_argument": spec.seed_argument}),
        **{name: value for name, value in spec.to_json().items() if name in _KEPT},
    }
