"""Exports of runs that nobody has trained: their files as analysis reads them."""

from collections.abc import Callable, Mapping
from typing import Any

import yaml
from caduceus.files import write_json, write_whole
from caduceus.identities import identity
from caduceus.project import Project as Loaded
from caduceus.project import load_project
from caduceus.rendering import to_csv
from projects import Project

# The rows that a run with these parameters and this seed has logged; None if it failed.
Logged = Callable[[Mapping[str, Any], int], list[dict[str, Any]] | None]


def load(project: Project) -> Loaded:
    """The project as the Snakefile sees it."""
    config = yaml.safe_load((project.path / "config.yaml").read_text())
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
        write_json(results / f"experiments/{experiment.id}.json", experiment.plan())
        for run in experiment.runs:
            folder = results / "runs" / run.id
            parameters = run.parameters if run.trial is None else (chosen or {})[run.trial]
            rows = logged(parameters, run.seed)
            write_json(folder / "run.json", identity(experiment, run, loaded.config["wandb"]))
            write_json(folder / "params.json", {"parameters": parameters})
            steps = [{"_step": step} | row for step, row in enumerate(rows or [])]
            write_whole(folder / "metrics_history.csv", to_csv(steps, ["_step"]))
            summary = {name: value for row in rows or [] for name, value in row.items()}
            state = "failed" if rows is None else "finished"
            write_json(folder / "run_summary.json", {"state": state, "summary": summary})
    return loaded
