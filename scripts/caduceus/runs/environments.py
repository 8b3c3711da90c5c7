"""The environments of experiments: how jobs learn of them, and the records of those checked.

An environment is no part of what defines a run: it is in no plan and in no parameter of a job, and
a change of it trains nothing. Jobs find it in the environment variables, which Snakemake doesn't
compare.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from caduceus.errors import ResourceError
from caduceus.runs.files.environment import EnvironmentSpec, MadeEnvironment

VARIABLE = "CADUCEUS_ENVIRONMENTS"
FOLDER = "environments"  # in results/


def environments_variable(environments: Mapping[str, EnvironmentSpec]) -> str:
    """Return the value of the variable; empty if no experiment names an environment.

    Args:
        environments: by the ids of the experiments.
    """
    found = {id: environment.to_json() for id, environment in environments.items()}
    return json.dumps(found) if found else ""


def environment_of(experiment: str) -> EnvironmentSpec | None:
    """Return the environment of an experiment's program, by the variable; None if it has none."""
    value = os.environ.get(VARIABLE)
    named = json.loads(value) if value else {}
    return EnvironmentSpec.from_json(named.get(experiment))


def record_path(environment: EnvironmentSpec, results: Path) -> Path:
    """Return the file that records an environment, below results/."""
    return results / FOLDER / f"{environment.name}.json"


def is_current(made: MadeEnvironment) -> bool:
    """Whether an environment is still the one that was checked, by time and size."""
    try:
        status = Path(made.watched).stat()
    except OSError:
        return False
    return (status.st_mtime_ns, status.st_size) == (made.mtime_ns, made.size)


def checked_environment(environment: EnvironmentSpec, results: Path) -> MadeEnvironment:
    """Return the record of an environment, which Snakemake has made before any job.

    Raises:
        ResourceError: there is none, or what it was made from has changed since.
    """
    made = MadeEnvironment.read_if_there(record_path(environment, results))
    what = f"environment {environment.kind} {environment.path}"
    if made is None:
        raise ResourceError(
            f"{what} wasn't made or checked before this job; start snakemake again, without "
            "--no-hooks, and call `note_holder` in `onstart` of a Snakefile of your own"
        )
    if made.kind != "python" and not is_current(made):
        name = Path(made.watched).name
        raise ResourceError(
            f"{what}: {name} has changed, or is gone, since Snakemake started; start it again"
        )
    return made
