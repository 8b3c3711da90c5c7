"""The layout of a sweep's folder, results/sweeps/SWEEP, and what the files of its trials say."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caduceus.errors import ResultError
from caduceus.io.files import canonical_json, digest_text, read_json, write_json
from caduceus.io.validation import suggestion
from caduceus.runs.files.train import Train
from caduceus.runs.goal import Goal
from caduceus.sweeps.hyperband import RungValue

if TYPE_CHECKING:
    from caduceus.sweeps.configs import SweepConfig

Trial = dict[str, Any]

_SEEDS_DIGITS = 4


@dataclass(frozen=True)
class SweepFolder:
    """The paths below results/sweeps/SWEEP."""

    path: Path

    @classmethod
    def of_trial(cls, trial_json: Path) -> "SweepFolder":
        """The folder of the sweep that a trial's file belongs to."""
        return cls(trial_json.parents[1])

    @property
    def experiment_id(self) -> str:
        """The id of its experiment, with which its own begins."""
        return self.path.name.rpartition("-")[0]

    @property
    def plan(self) -> Path:
        """What sweep.json holds: see `plans.Sweep.plan`."""
        return self.path / "sweep.json"

    @property
    def given(self) -> Path:
        """W&B's configuration as the user wrote it."""
        return self.path / "sweep.yaml"

    @property
    def code(self) -> Path:
        """The snapshot of the code that all trials run."""
        return self.path / "work/code"

    @property
    def commit(self) -> Path:
        """The commit that the snapshot was taken from: see `git.read_commit`."""
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
        """The file of a trial, such as 0007, or of a confirmation."""
        return self.path / "trials" / f"{name}.json"

    def ahead(self, number: int) -> Path:
        """A trial that was suggested before its turn: see `trials.suggest_trial`."""
        return self.path / f"work/ahead/{number:04d}.json"

    def chosen(self, name: str) -> Path:
        """A copy of a trial's file, which Snakemake deletes where it has the trial chosen again."""
        return self.path / f"work/chosen/{name}.json"

    def choose_once(self, name: str, choose: Callable[[], Trial]) -> None:
        """Write the file of a trial: as it was chosen if it ever was, else as `choose` says."""
        chosen = self.chosen(name)
        if not chosen.exists():
            write_json(chosen, choose())
        write_json(self.trial(name), read_json(chosen))

    def all_chosen(self) -> list[Path]:
        """All of these that are there."""
        return sorted((self.path / "work/chosen").glob("*.json"))

    def run(self, run_id: str) -> Path:
        """The folder of a run of the sweep."""
        return self.path.parents[1] / "runs" / run_id

    def run_results(self, plan: Mapping[str, Any], number: int) -> list[Path]:
        """train.json of each run of a trial; `plan` is what sweep.json holds."""
        runs = trial_runs(plan["sweep"], number, plan["seeds"], plan["default_seed"])
        return [self.run(run) / "train.json" for run in runs]

    def all_results(self) -> list[Path]:
        """train.json of every run of the sweep that has ended."""
        return sorted(self.run(self.path.name).parent.glob(f"{self.path.name}-*/train.json"))

    def ended(self, run_id: str) -> Train:
        """Read train.json of a run of the sweep; of a remote run outcome.json, which says less."""
        run = self.run(run_id)
        return Train.read_if_there(run / "train.json") or Train.read(run / "outcome.json")

    def config(self) -> "SweepConfig":
        """W&B's configuration."""
        from caduceus.sweeps.configs import read_config  # jsonschema, which no other run needs

        return read_config(read_json(self.plan)["config"], lambda keys: str(self.given))

    def results(self, count: int) -> list[dict[str, Any]]:
        """The results of the first `count` trials as they are now: see `result_of`."""
        plan = read_json(self.plan)
        return [
            result_of(
                number, [self.ended(path.parent.name) for path in self.run_results(plan, number)]
            )
            for number in range(count)
        ]

    def earlier(self, number: int) -> list[Trial]:
        """The trials before trial `number`, oldest first.

        Raises:
            ResultError: one is missing.
        """
        trials = []
        for before in range(number):
            path = self.trial(f"{before:04d}")
            if not path.exists():
                raise ResultError("is missing; delete the trials after it too", str(path))
            trials.append(read_json(path))
        return trials


def find_sweep(results: Path, name: str | None) -> SweepFolder:
    """The folder of a sweep by its id or that of its experiment; of the only one if it is None.

    Raises:
        ResultError: there is none, or several.
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
        raise ResultError(f"which sweep? there are {there}", str(results / "sweeps"))
    raise ResultError(f"there is no sweep {name!r}{suggestion(name, known)}; there are {there}")


def trial_runs(sweep_id: str, number: int, seeds: Sequence[int], default_seed: int) -> list[str]:
    """The ids of the runs of a trial, in the order of the seeds; the default one isn't named."""
    start = f"{sweep_id}-t{number:04d}"
    return [start if seed == default_seed else f"{start}-s{seed}" for seed in seeds]


def confirmation(count: int, seeds: Sequence[int], rank: int) -> str:
    """What the trial is called that confirms the configuration at place `rank` of `count` trials.

    Other trials may be the best ones once there are more of them, or other `seeds` of each than the
    default one: what was confirmed before stays beside.
    """
    those = digest_text(canonical_json(sorted(seeds)))[:_SEEDS_DIGITS]
    return f"c{count}-{those}.{rank}" if seeds else f"c{count}.{rank}"


def confirmed_place(trial: str) -> tuple[int, int]:
    """Of how many trials a confirmation is, and of which place."""
    trials, _, rank = trial.removeprefix("c").partition(".")
    return int(trials.partition("-")[0]), int(rank)


def is_confirmation(trial: str) -> bool:
    """Whether a trial's name is that of a confirmation, such as c50.0."""
    return trial.startswith("c")


def variant_of(trial: str) -> str:
    """What the variant is called that a trial runs: t0007, or c50.0 of a confirmation."""
    return trial if is_confirmation(trial) else f"t{trial}"


def result_of(number: int, runs: Sequence[Train]) -> dict[str, Any]:
    """The result of a trial, from train.json of its runs.

    Returns:
        `trial`; `state`, finished, skipped or failed; `objective`, the mean over the runs that have
        one, null if none has; `stopped_early`, whether any run was; `bands`, for each run its value
        and its best value at each band that it has reached, by the band.
    """
    outcomes = [run.outcome for run in runs]
    # A run that failed counts, by `metric.impute`, only where none has finished.
    ended = [run for run in runs if run.state == "finished"] or runs
    found = [run.outcome.objective for run in ended]
    objectives = [objective for objective in found if objective is not None]
    states = {run.state for run in runs}
    return {
        "trial": number,
        "state": next(s for s in ("finished", "skipped", "failed") if s in states),
        "objective": math.fsum(objectives) / len(objectives) if objectives else None,
        "stopped_early": any(outcome.stopped_at is not None for outcome in outcomes),
        "bands": [{band: list(reached) for band, reached in o.bands.items()} for o in outcomes],
    }


def earlier_rung_values(folder: SweepFolder, number: int) -> list[dict[int, RungValue]]:
    """Return the values at each rung of the runs that trial `number` is compared with."""
    trials = [*folder.earlier(number), read_json(folder.trial(f"{number:04d}"))]
    return [
        {int(rung): RungValue(*values) for rung, values in run.items()}
        for trial in trials
        if trial["told"]
        for run in trial["told"]["bands"]
    ]


def ranking(results: Sequence[Mapping[str, Any]], goal: Goal) -> list[Mapping[str, Any]]:
    """The results that have an objective, the best first; of equal ones the earlier."""
    ended = [
        result
        for result in results
        if result["state"] == "finished" and result["objective"] is not None
    ]
    return sorted(ended, key=lambda result: (goal.sign * result["objective"], result["trial"]))
