"""Checks of the environments that experiments name for their programs."""

from collections.abc import Iterator
from pathlib import Path

from caduceus.errors import ResourceError, ResultError
from caduceus.overview.doctor.findings import Finding
from caduceus.project.project import Project
from caduceus.runs.environments import record_path
from caduceus.runs.files.environment import EnvironmentSpec, MadeEnvironment
from caduceus.training.environments import examine


def look_at_environments(project: Project, folder: Path) -> Iterator[Finding]:
    """Start the Python of each environment, and check that it has wandb; nothing is made.

    Args:
        project: the loaded project.
        folder: its folder, the current one.
    """
    for environment, where in project.named_environments(project.runs).items():
        yield _look_at(environment, where, folder / "results")


def _look_at(environment: EnvironmentSpec, where: str, results: Path) -> Finding:
    name = f"environment {environment.path}"
    try:
        known = MadeEnvironment.read_if_there(record_path(environment, results))
    except ResultError:  # it is damaged, and made again before runs are trained
        known = None
    if environment.kind == "uv" and known is None and not _venv(environment).exists():
        text = f"{where} names it, and it isn't made yet; the first build that trains makes it"
        return Finding("fine", name, text)
    try:
        found = examine(environment, known, makes=False)
    except ResourceError as error:
        return Finding("error", name, str(error), f"{where} names it")
    return Finding("fine", name, f"starts; Python {found.python}, wandb {found.wandb}")


def _venv(environment: EnvironmentSpec) -> Path:
    return Path(environment.path).expanduser() / ".venv"
