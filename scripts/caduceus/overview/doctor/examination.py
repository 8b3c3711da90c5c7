"""All checks of `caduceus doctor`, in order."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from caduceus.errors import CaduceusError
from caduceus.io.yaml_files import load
from caduceus.overview.doctor.environments import look_at_environments
from caduceus.overview.doctor.findings import Finding
from caduceus.overview.doctor.outside import (
    look_at_account,
    look_at_env_file,
    look_at_git,
    look_at_schedulers,
)
from caduceus.overview.doctor.packages import (
    cuda_of_torch,
    installed_versions,
    locked_versions,
    look_at_gpus,
    look_at_namesake,
    look_at_packages,
    look_at_python,
    look_at_requirements,
    look_at_wandb,
    own_requirements,
)
from caduceus.overview.doctor.storage import look_at_file_system, look_at_room, look_at_scratch
from caduceus.project.project import Project, load_project
from caduceus.runs.wandb_paths import ProjectPath


def examine(folder: Path, config: Path) -> Iterator[Finding]:
    """Check this machine and the project in `folder`; takes two seconds, and one an environment.

    Args:
        folder: the project's folder, the current one.
        config: its config.yaml.
    """
    yield look_at_python()
    yield from look_at_namesake(metadata.distributions())
    installed = installed_versions()
    if required := own_requirements():
        yield look_at_requirements(required, installed)
    else:
        yield look_at_packages(locked_versions(), installed)
    yield from look_at_wandb()
    has_torch = "torch" in installed
    cuda = cuda_of_torch() if has_torch else None
    yield from look_at_gpus(cuda, has_torch=has_torch)
    project = _load(config)
    if isinstance(project, Finding):
        yield project
    else:
        text = f"experiments: {len(project.experiments)}, runs: {len(project.runs)}"
        yield Finding("fine", "project", text)
        yield from look_at_environments(project, folder)
    wandb_project, is_online, scratch = ProjectPath("", "caduceus"), False, None
    missing = 0
    if isinstance(project, Project):
        wandb = project.settings.wandb
        wandb_project, is_online, scratch = wandb.path, wandb.mode == "online", wandb.scratch
        missing = sum(
            not (folder / "results/runs" / run / "train.json").exists() for run in project.runs
        )
    yield from look_at_account(wandb_project, is_online)
    yield from look_at_env_file(folder)
    yield from look_at_schedulers()
    results = folder / "results"
    yield from look_at_room(results if results.exists() else folder, missing)
    yield look_at_file_system(results if results.exists() else folder)
    yield from look_at_scratch(scratch)
    yield look_at_git(folder)


def _load(config: Path) -> Project | Finding:
    if not config.exists():
        text = f"no {config} here"
        return Finding("warning", "project", text, "work in a project's folder, or caduceus init")
    try:
        return load_project(load(config).value, [str(config)])
    except CaduceusError as error:
        return Finding("error", "project", str(error))
