"""The jobs of a run: the files that each makes, and the params that it gets."""

from caduceus.io.files import canonical_json
from caduceus.project.experiments import Experiment
from caduceus.project.identity import identity
from caduceus.project.project import Project
from caduceus.runs.files.plan import Run

OUTPUTS = {
    "plan_run": ("params.json",),
    "init_run": ("run.json",),
    "train": ("train.json",),
    "upload_artifacts": ("upload.json",),
    "export_run": (
        *("run_summary.json", "metrics_history.csv", "system_metrics.csv"),
        *("media", "artifacts", "manifest.json"),
    ),
}


def outputs(run: str) -> list[str]:
    """Return the files and folders that the jobs of a run make."""
    return [f"results/runs/{run}/{name}" for names in OUTPUTS.values() for name in names]


def definition_param(run: Run) -> str:
    """Return the param `definition` of `plan_run`, as JSON."""
    return canonical_json(run.definition.to_json())


def identity_param(project: Project, experiment: Experiment, run: Run) -> str:
    """Return the param `identity` of `init_run`, as JSON."""
    return canonical_json(identity(experiment, run, project.settings.wandb).to_json())
