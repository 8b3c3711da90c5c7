"""The environments that experiments name for their programs, as an archive states them.

`environments.json` says of each what it was when it was last made or checked. Of this machine's
folders it has only the path that the experiment has too. The files that define a uv project are in
`project/`, or in `environments/` if they lie outside of the project.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from caduceus.errors import ResourceError
from caduceus.io.files import Json
from caduceus.project.project import Project
from caduceus.runs.environments import record_path
from caduceus.runs.files.environment import EnvironmentSpec, MadeEnvironment
from caduceus.system.program_environments import lock_file

STATEMENT = "environments.json"


def environment_files(project: Project, results: Path) -> Iterator[tuple[str, Path | bytes]]:
    """Yield the files on environments, each with its name in the archive; none without any.

    Args:
        project: the loaded project.
        results: the folder results/.
    """
    stated: list[dict[str, Json]] = []
    for environment in dict.fromkeys(project.environments.values()):
        files = {_place(path, environment): path for path in _defining(environment)}
        yield from files.items()
        stated.append(
            {
                **environment.to_json(),
                "experiments": [
                    id for id, named in project.environments.items() if named == environment
                ],
                "files": [*files],
                **_found(environment, results),
            }
        )
    if stated:
        yield STATEMENT, (json.dumps(stated, indent=2, ensure_ascii=False) + "\n").encode()


def _found(environment: EnvironmentSpec, results: Path) -> dict[str, Json]:
    """Return what an environment had; nothing if no run was trained in it here."""
    made = MadeEnvironment.read_if_there(record_path(environment, results))
    if made is None:
        return {}
    return {
        "sha256": made.sha256,
        "python_version": made.python,
        "wandb": made.wandb,
        "packages": dict(made.packages),
    }


def _defining(environment: EnvironmentSpec) -> list[Path]:
    """Return the files that define a uv project, as far as they are there: those of others none."""
    if environment.kind != "uv":
        return []
    folder = Path(environment.path).expanduser()
    try:
        lock = lock_file(folder)
    except ResourceError:
        return []
    files = [folder / "pyproject.toml", lock.with_name("pyproject.toml"), lock]
    return [path for path in files if path.is_file()]


def _place(path: Path, environment: EnvironmentSpec) -> str:
    """Return the name of a file in the archive."""
    name = os.path.relpath(path)
    if not name.startswith(os.pardir):
        return f"project/{Path(name).as_posix()}"
    base = Path(environment.path).expanduser()
    inside = os.path.relpath(path, base)
    above = inside.count(os.pardir)  # of a workspace that the project is a part of
    return f"environments/{environment.name}/{'workspace/' if above else ''}{path.name}"
