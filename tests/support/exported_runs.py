"""Exports of runs that nobody has trained: their files as analysis reads them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from caduceus.io.cells import to_csv
from caduceus.io.files import write_whole
from caduceus.project.identity import identity
from caduceus.project.project import Project as Loaded
from caduceus.project.project import load_project
from caduceus.runs.files.export import ArtifactFile, ExportedArtifact, Git, Summary
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.train import Train, TrialOutcome
from caduceus.runs.files.usage import Usage
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from projects import Project, read_yaml
from run_files import attempt, train

# The rows that a run with these parameters and this seed has logged; None if it failed.
Logged = Callable[[Mapping[str, Any], int], list[dict[str, Any]] | None]


def load(project: Project) -> Loaded:
    """The project as the Snakefile sees it."""
    config = read_yaml(project.path / "config.yaml")
    return load_project(config, [str(project.path / "config.yaml")], project.path)


def export_runs(
    project: Project, logged: Logged, chosen: Mapping[str, Mapping[str, Any]] | None = None
) -> Loaded:
    """Write results/ of a project whose runs have logged this.

    Args:
        project: whose experiments are planned.
        logged: what each run has logged, its seed beside it.
        chosen: the parameters of a sweep's trials, by trial.
    """
    loaded = load(project)
    results = project.path / "results"
    for experiment in loaded.experiments.values():
        experiment.plan.write(results / f"experiments/{experiment.id}.json")
        for run in experiment.runs:
            folder = results / "runs" / run.id
            planned = run.definition
            parameters = planned.parameters if run.trial is None else (chosen or {})[run.trial]
            rows = logged(parameters, run.seed)
            about = identity(experiment, run, loaded.settings.wandb)
            about.write(folder / "run.json")
            replace(planned, parameters=parameters).write(folder / "params.json")
            steps = [{"_step": step} | row for step, row in enumerate(rows or [])]
            write_whole(folder / "metrics_history.csv", to_csv(steps, ["_step"]))
            state = "failed" if rows is None else "finished"
            values = {name: value for row in rows or [] for name, value in row.items()}
            _summary(about, state, values).write(folder / "run_summary.json")
            train_record(run.id, state, run.trial, values).write(folder / "train.json")
    return loaded


def _summary(about: Identity, state: str, values: Mapping[str, Any]) -> Summary:
    """The content of run_summary.json of a run."""
    return replace(
        Summary.of(about, state),
        summary=values,
        git=Git(commit="0" * 40, remote=None),
        started_at="2026-01-01T00:00:00+00:00",
        runtime_s=60,
        host="node1",
    )


def train_record(run_id: str, state: str, trial: str | None, values: Mapping[str, Any]) -> Train:
    """The content of train.json of a run that took a minute and one attempt."""
    error = "ValueError: no" if state == "failed" else None
    outcome = TrialOutcome(objective=values.get("loss"), stopped_at=None)
    return train(
        run_id, attempt(state=state, error=error), trial=outcome if trial is not None else None
    )


def log_predictions(project: Project, content: Callable[[Mapping[str, Any], int], str]) -> None:
    """Add to each exported run an artifact with predictions.csv, by its parameters and seed."""
    for folder in project.runs:
        record = RunRecord(RunFolder(folder))
        artifact = ExportedArtifact(
            name=f"results-{folder.name}",
            type="results",
            digest="",
            aliases=(),
            metadata={},
            files={"predictions.csv": ArtifactFile(bytes=1, md5="")},
        )
        path = folder / "artifacts" / artifact.name / "predictions.csv"
        write_whole(path, content(record.params.parameters, record.summary.seed or 0))
        replace(record.summary, artifacts=(artifact,)).write(folder / "run_summary.json")


def give_usage(project: Project, usages: Callable[[str, int], Usage]) -> None:
    """Write into each run's record the usage that is given for its variant and seed."""
    for folder in project.runs:
        about = Identity.read(folder / "run.json")
        record = Train.read(folder / "train.json")
        attempts = [
            replace(each, usage=usages(about.variant, about.seed)) for each in record.attempts
        ]
        replace(record, attempts=tuple(attempts)).write(folder / "train.json")
