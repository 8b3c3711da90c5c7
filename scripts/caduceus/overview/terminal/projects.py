"""Look up what a build's display shows of runs: titles, metrics, results and usual durations."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from caduceus.errors import ResultError
from caduceus.overview.terminal.build import Job
from caduceus.overview.terminal.run_watch import value_text
from caduceus.project.project import Project
from caduceus.runs.files.export import Summary
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder

_OTHER_FOLDERS = ("results/runs/", "results/sweeps/", "results/groups/", "results/experiments/")
_WITHOUT_TABLES = ("sync", "refresh", "verify", "archive")
_MEASURED = 20  # finished runs of an experiment, whose mean is its usual duration


@dataclass(frozen=True)
class ShownProject:
    """A project whose build is shown.

    Attributes:
        project: the project.
        place: returns where a path below results/ lies, which a Snakefile may move.
        rule: returns the name of a rule, which a Snakefile may change.
    """

    project: Project
    place: Callable[[str], str]
    rule: Callable[[str], str]

    def folder(self, run: str) -> RunFolder:
        """Return the folder of a run."""
        return RunFolder(Path(self.place(f"results/runs/{run}")))

    def is_without_results(self, targets: Collection[str]) -> bool:
        """Whether a build of some targets makes nothing of the paper, nor its report."""
        others = tuple(map(self.place, _OTHER_FOLDERS))
        is_of_others = bool(targets) and all(target.startswith(others) for target in targets)
        return is_of_others or not {*map(self.rule, _WITHOUT_TABLES)}.isdisjoint(targets)

    def job(
        self, job_id: int, rule: str, wildcards: Mapping[str, str], outputs: Collection[str]
    ) -> Job:
        """Return a job of this project, as Snakemake describes it."""
        run = wildcards.get("run")
        title = self.title(run) if run else ""
        trains = bool(run) and self.place(f"results/runs/{run}/train.json") in outputs
        if run and trains:
            known = self.project.runs.get(run)
            return Job(job_id, rule, title, f"train {known[0].id if known else ''}", run, trains)
        name = title or " ".join(wildcards.values())
        return Job(job_id, rule, f"{rule} {name}".strip(), rule, run, makes_files=bool(outputs))

    def metric(self, run: str) -> str | None:
        """Return the metric of a run's experiment; None if it declares none."""
        metric = self.project.runs[run][0].spec.metric if run in self.project.runs else None
        return metric.name if metric else None

    def result(self, run: str) -> str:
        """Return the metric of an exported run, in words; empty if it has none."""
        name = self.metric(run)
        summary = self.summary(run)
        value = summary.summary.get(name) if summary and name else None
        return "" if value is None else f"{name} {value_text(str(value))}"

    def summary(self, run: str) -> Summary | None:
        """Return the export of a run; None if it can't be read."""
        with suppress(ResultError):
            return Summary.read_if_there(self.folder(run).summary_json)
        return None

    def training(self, run: str) -> Train | None:
        """Return how the training of a run ended; None if that can't be read."""
        with suppress(ResultError):
            return Train.read_if_there(self.folder(run).train_json)
        return None

    def usual_s(self) -> dict[str, float]:
        """Return the mean seconds of earlier runs of each experiment, by the kind of their jobs."""
        found = {}
        for id, experiment in self.project.experiments.items():
            there = [run.id for run in experiment.runs if self.folder(run.id).train_json.exists()]
            trained = filter(None, map(self.training, there[:_MEASURED]))
            if seconds := [each.kept_s for each in trained if each.state == "finished"]:
                found[f"train {id}"] = fmean(seconds)
        return found

    def title(self, run: str) -> str:
        """Return the name of a run for a reader: its experiment, variant and seed."""
        if run not in self.project.runs:
            return run
        experiment, planned = self.project.runs[run]
        return f"{experiment.id} {planned.variant} seed {planned.seed}"
