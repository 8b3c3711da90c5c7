"""Tries whose runs are planned by snapshots as always, and then computed in place of trained."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from caduceus.io.files import write_whole
from caduceus.project.experiments import Experiment, load_experiment
from caduceus.project.identity import identity
from caduceus.project.plan_run import plan_run
from caduceus.project.settings import load_settings
from caduceus.runs.files.export import Summary
from caduceus.runs.files.plan import Run
from caduceus.runs.files.tries import Ledger, LedgerFolder, Try
from caduceus.tries.answers import TryAnswer
from caduceus.tries.codes import plan_runs
from caduceus.tries.gate import Wanted
from caduceus.tries.opening import Options
from caduceus.tries.session import try_edit
from projects import Project
from run_files import attempt, train

PROGRAM = """\
GAIN = 0.0
CRASHES_ON = ()
NAN_ON = ()
"""
EXPERIMENT: dict[str, Any] = {
    "id": "toy",
    "type": "baseline",
    "program": "experiments/train.py",
    "parameters": {"rate": 0.1},
    "seeds": [0, 1, 2, 3, 4],
    "metric": {"name": "acc"},
}
CONFIG = {"experiments": ["experiments/toy.yaml"], "wandb": {"project": "tests"}}
RESULTS = Path("results")


class KilledError(Exception):
    """In place of a kill."""


@dataclass
class TriedProject:
    """A project whose program has run, in the folder of this process.

    Attributes:
        project: the project.
        trained: the runs that were trained, in their order.
        kill_after: so many runs are trained before a kill; None for no kill.
        fails_once_on: the next run with this seed fails.
    """

    project: Project
    trained: list[str] = field(default_factory=list)
    kill_after: int | None = None
    fails_once_on: int | None = None

    @classmethod
    def create(cls, path: Path, **changes: Any) -> "TriedProject":
        project = Project(path)
        project.write("experiments/train.py", PROGRAM)
        project.write_yaml("experiments/toy.yaml", EXPERIMENT | changes)
        project.write_yaml("config.yaml", CONFIG)
        return cls(project)

    def build(self) -> None:
        """Train the program as it is."""
        experiment = load_experiment("experiments/toy.yaml", {"seed": 0}, _groups(), Path())
        for run in experiment.runs:
            self._train(run, experiment)
        self.trained.clear()

    def edit(self, **constants: Any) -> None:
        text = "".join(
            f"{name} = {constants.get(name, default)}\n"
            for name, default in (("GAIN", 0.0), ("CRASHES_ON", ()), ("NAN_ON", ()))
        )
        self.project.write("experiments/train.py", text)

    def attempt(self, why: str = "it may help", **options: Any) -> TryAnswer:
        """Call `caduceus try`; the kill, if there is one, is a `KilledError`."""
        name = options.pop("name", None)
        config = Path("config.yaml")
        return try_edit(why, name, Options(**options), config, RESULTS, [], train=self._train_all)

    def folder(self, name: str = "toy") -> LedgerFolder:
        return LedgerFolder(RESULTS / "tries" / name)

    @property
    def tries(self) -> list[Try]:
        return self.folder().tries()

    def _train_all(
        self,
        folder: LedgerFolder,
        ledger: Ledger,
        results: Path,
        arguments: Sequence[str],
        wanted: Sequence[Wanted],
    ) -> None:
        for each in wanted:
            file = plan_runs(folder, each.code, each.seeds, each.extra)
            experiment = load_experiment(str(file), {"seed": 0, "late": 1}, _groups(), Path())
            for run in experiment.runs:
                if run.variant == each.code.variant:
                    if self.kill_after is not None and len(self.trained) >= self.kill_after:
                        raise KilledError
                    self._train(run, experiment)

    def _train(self, run: Run, experiment: Experiment) -> None:
        folder, file = RESULTS / "runs" / run.id, Path(experiment.source.path)
        plan_run(run.definition, experiment.spec.code, file, folder / "params.json")
        about = identity(experiment, run, load_settings(Path("config.yaml")).wandb)
        about.write(folder / "run.json")
        values: dict[str, Any] = {}
        exec((folder / "work/code/experiments/train.py").read_text(), values)
        state, error = "finished", None
        if run.seed in (*values["CRASHES_ON"], self.fails_once_on):
            state, error = "failed", "exit status 1: no such layer"
        if run.seed == self.fails_once_on:
            self.fails_once_on = None
        gain = values["GAIN"] + run.definition.parameters.get("bonus", 0)
        noise = random.Random(run.seed).gauss(0, 0.01)
        noise += random.Random(f"{run.seed} {gain}").gauss(0, 0.002)
        logged: dict[str, Any] = {"acc": 0.7 + gain + noise}
        if run.definition.parameters.get("split") == "holdout":
            logged = {"held": 0.6 + gain + noise}
        if run.seed in values["NAN_ON"]:
            logged = {"acc": float("nan")}
        summary = replace(Summary.of(about, state), summary=logged if state == "finished" else {})
        summary.write(folder / "run_summary.json")
        train(run.id, attempt(state=state, error=error)).write(folder / "train.json")
        write_whole(folder / "manifest.json", "{}")
        self.trained.append(run.id)


def _groups() -> dict[str, str]:
    return load_settings(Path("config.yaml")).wandb.groups


def found_in(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[0]
