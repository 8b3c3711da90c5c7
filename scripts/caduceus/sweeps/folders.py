"""The layout of a sweep's folder, results/sweeps/SWEEP, and the results of its trials."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caduceus.errors import ResultError
from caduceus.io.files import canonical_json, digest_text
from caduceus.io.phrases import pasted
from caduceus.io.validation import suggestion
from caduceus.runs.files.sweep import SweepPlan
from caduceus.runs.files.train import Train
from caduceus.runs.files.trial import Trial, TrialResult
from caduceus.runs.goal import Goal
from caduceus.sweeps.hyperband import RungValue

if TYPE_CHECKING:
    from caduceus.sweeps.configs import SweepConfig

_SEEDS_DIGITS = 4


@dataclass(frozen=True)
class SweepFolder:
    """The paths below results/sweeps/SWEEP."""

    path: Path

    @classmethod
    def of_trial(cls, trial_json: Path) -> "SweepFolder":
        """Return the folder of the sweep that a trial's file belongs to."""
        return cls(trial_json.parents[1])

    @property
    def experiment_id(self) -> str:
        """The id of its experiment, the prefix of its own."""
        return self.path.name.rpartition("-")[0]

    @property
    def plan(self) -> Path:
        """sweep.json: see `read_plan`."""
        return self.path / "sweep.json"

    @property
    def config_yaml(self) -> Path:
        """W&B's configuration as the user wrote it."""
        return self.path / "sweep.yaml"

    @property
    def code(self) -> Path:
        """The code snapshot that all trials run."""
        return self.path / "work/code"

    @property
    def commit(self) -> Path:
        """The commit of the snapshot: see `git.read_commit`."""
        return self.path / "work/commit.json"

    @property
    def experiment(self) -> Path:
        """The experiment file as it was when the sweep was started."""
        return self.path / "work/experiment.yaml"

    @property
    def missing_metric(self) -> Path:
        """A run that has finished without the metric: see `pruning.record_missing_metric`."""
        return self.path / "work/unlogged.json"

    def trial(self, name: str) -> Path:
        """Return the file of a trial, such as 0007, or of a confirmation."""
        return self.path / "trials" / f"{name}.json"

    def suggested_ahead(self, number: int) -> Path:
        """Return the file of a trial suggested before its own job: see `trials.suggest_trial`."""
        return self.path / f"work/ahead/{number:04d}.json"

    def kept_copy(self, name: str) -> Path:
        """Return the copy of a trial's file, as Snakemake deletes the file when its job reruns."""
        return self.path / f"work/chosen/{name}.json"

    def write_once(self, name: str, choose: Callable[[], Trial]) -> None:
        """Write the file of a trial: its kept copy if there is one, else the result of `choose`."""
        copy = self.kept_copy(name)
        if not copy.exists():
            choose().write(copy)
        Trial.read(copy).write(self.trial(name))

    def all_kept_copies(self) -> list[Path]:
        """Return all kept copies, sorted."""
        return sorted((self.path / "work/chosen").glob("*.json"))

    def run(self, run_id: str) -> Path:
        """Return the folder of a run of the sweep."""
        return self.path.parents[1] / "runs" / run_id

    def run_results(self, plan: SweepPlan, number: int) -> list[Path]:
        """Return train.json of each run of a trial; `plan` is the content of sweep.json."""
        return [self.run(run) / "train.json" for run in plan.trial_runs(number)]

    def all_results(self) -> list[Path]:
        """Return train.json of every ended run of the sweep."""
        return sorted(self.run(self.path.name).parent.glob(f"{self.path.name}-*/train.json"))

    def read_train(self, run_id: str) -> Train:
        """Read train.json of a run of the sweep; of a remote run outcome.json, which says less."""
        run = self.run(run_id)
        return Train.read_if_there(run / "train.json") or Train.read(run / "outcome.json")

    def read_plan(self) -> SweepPlan:
        """Read sweep.json."""
        return SweepPlan.read(self.plan)

    def config(self) -> "SweepConfig":
        """Parse W&B's configuration."""
        from caduceus.sweeps.configs import read_config  # 0.09 s, which other runs don't need

        return read_config(self.read_plan().config.to_json(), lambda keys: str(self.config_yaml))

    def results(self, count: int) -> list[TrialResult]:
        """Return the current results of the first `count` trials: see `result_of`."""
        plan = self.read_plan()
        runs = (self.run_results(plan, number) for number in range(count))
        return [
            result_of(number, [self.read_train(path.parent.name) for path in paths])
            for number, paths in enumerate(runs)
        ]

    def earlier(self, number: int) -> list[Trial]:
        """Read the trials before trial `number`, oldest first.

        Raises:
            ResultError: the file of one is missing.
        """
        trials = []
        for before in range(number):
            path = self.trial(f"{before:04d}")
            if not path.exists():
                raise ResultError(
                    "is missing; delete the files of the trials after it, and the next "
                    "`snakemake` writes all of them again",
                    str(path),
                )
            trials.append(Trial.read(path))
        return trials


def find_sweep(results: Path, name: str | None) -> SweepFolder:
    """Find a sweep by its id or its experiment's id; without a name, the only sweep.

    Raises:
        ResultError: no sweep is found, or several are.
    """
    found = [SweepFolder(path.parent) for path in sorted((results / "sweeps").glob("*/sweep.json"))]
    known = {folder.path.name: folder for folder in found}
    if name in known:
        return known[name]
    if name is not None:
        found = [folder for folder in found if folder.experiment_id == name]
    if len(found) == 1:
        return found[0]
    there = ", ".join(known) or "none"
    if name is None or found:
        raise ResultError(f"name one of the sweeps: {there}", str(results / "sweeps"))
    raise ResultError(
        f"there is no sweep {pasted(name)}{suggestion(name, known)}; there are {there}"
    )


def confirmation(count: int, seeds: Sequence[int], rank: int) -> str:
    """Return the name of the trial that confirms the configuration of `rank` among `count` trials.

    The name contains the number of trials and a digest of their seeds, unless it is the default
    seed. With more trials or seeds other configurations may be the best, and earlier confirmations
    stay valid under their own names.
    """
    digest = digest_text(canonical_json(sorted(seeds)))[:_SEEDS_DIGITS]
    return f"c{count}-{digest}.{rank}" if seeds else f"c{count}.{rank}"


def parse_confirmation(trial: str) -> tuple[int, int]:
    """Return the number of trials and the rank in the name of a confirmation."""
    trials, _, rank = trial.removeprefix("c").partition(".")
    return int(trials.partition("-")[0]), int(rank)


def is_confirmation(trial: str) -> bool:
    """Whether a trial is a confirmation, such as c50.0."""
    return trial.startswith("c")


def variant_of(trial: str) -> str:
    """Return the name of a trial's variant: t0007, or c50.0 for a confirmation."""
    return trial if is_confirmation(trial) else f"t{trial}"


def result_of(number: int | None, runs: Sequence[Train]) -> TrialResult:
    """Return the result of a trial, from train.json of its runs."""
    outcomes = [run.outcome for run in runs]
    # A failed run counts, by `metric.impute`, only if none has finished.
    ended = [run for run in runs if run.state == "finished"] or runs
    found = [run.outcome.objective for run in ended]
    objectives = [objective for objective in found if objective is not None]
    states = {run.state for run in runs}
    return TrialResult(
        trial=number,
        state=next(s for s in ("finished", "skipped", "failed") if s in states),
        objective=math.fsum(objectives) / len(objectives) if objectives else None,
        stopped_early=any(outcome.stopped_at is not None for outcome in outcomes),
        bands=tuple(outcome.bands for outcome in outcomes),
    )


def earlier_rung_values(folder: SweepFolder, number: int) -> list[dict[int, RungValue]]:
    """Return the values at each rung of the runs that trial `number` is compared with."""
    trials = [*folder.earlier(number), Trial.read(folder.trial(f"{number:04d}"))]
    return [
        {int(rung): RungValue(*values) for rung, values in run.items()}
        for trial in trials
        if trial.told
        for run in trial.told.bands
    ]


def ranking(results: Sequence[TrialResult], goal: Goal) -> list[TrialResult]:
    """Sort the results that have an objective, the best first; the earlier trial breaks ties."""
    ended = [
        (goal.sign * result.objective, result.trial or 0, result)
        for result in results
        if result.state == "finished" and result.objective is not None
    ]
    return [result for *_, result in sorted(ended, key=lambda found: found[:2])]
