"""The environments that experiments name: made or checked before any job, and used by programs.

Snakemake calls `make_environments` once, where it runs itself: there the internet is, which nodes
of a cluster don't have, and no two jobs make one environment at a time.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from caduceus.errors import ResourceError, SpecError
from caduceus.io.files import digest_text, sha256
from caduceus.runs.environments import checked_environment, environment_of, is_current, record_path
from caduceus.runs.files.dataset import DatasetRecord
from caduceus.runs.files.environment import EnvironmentSpec, MadeEnvironment
from caduceus.runs.folder import RunFolder
from caduceus.system import program_environments
from caduceus.system.program_environments import Python
from caduceus.training.wandb_environment import SHIM

_MENDS = {
    "uv": "add it there by `uv add wandb`",
    "python": "install it there by `{path} -m pip install wandb`",
    "apptainer": "install it in the image",
}
IN_IMAGE = "CADUCEUS_RECORD_VERSIONS"  # known to the shim


def make_environments(
    named: Mapping[EnvironmentSpec, str], results: Path, say: Callable[[str], None]
) -> None:
    """Make or check environments, and record them below results/.

    Args:
        named: the file and line of an experiment that names it, by environment.
        results: the folder results/.
        say: is called with a line before what may take long.

    Raises:
        SpecError: one can't be made, or isn't fit for a program that logs by wandb.
    """
    for environment, where in named.items():
        path = record_path(environment, results)
        try:
            known = MadeEnvironment.read_if_there(path)
            if environment.kind == "uv" and not (known and is_current(known)):
                say(f"caduceus: making the environment of {environment.path} by uv run --locked")
            examine(environment, known).write(path)
        except ResourceError as error:
            raise SpecError(f"environment: {error}", where) from None


def examine(
    environment: EnvironmentSpec, known: MadeEnvironment | None, makes: bool = True
) -> MadeEnvironment:
    """Return what an environment has now.

    Args:
        environment: the environment.
        known: its last record, which spares the digest of an image that is the same file.
        makes: whether that of a uv project is made, or brought to its lock.

    Raises:
        ResourceError: it can't be made, doesn't start, or has no wandb.
    """
    path = Path(environment.path).expanduser()
    if environment.kind == "uv":
        python = program_environments.ask_uv_project(path, makes)
        watched = program_environments.lock_file(path)
    elif environment.kind == "python":
        python = program_environments.ask_interpreter(path)
        watched = Path(python.packages_folder)
    else:
        python, watched = program_environments.ask_image(path), path.absolute()
    if "wandb" not in python.packages:
        mend = _MENDS[environment.kind].format(path=environment.path)
        raise ResourceError(f"{environment.path} has no wandb; {mend}")
    status = watched.stat()
    made = MadeEnvironment(
        kind=environment.kind,
        path=environment.path,
        sha256="",
        python=python.version,
        wandb=python.packages["wandb"],
        interpreter=python.interpreter,
        prefix=python.prefix,
        watched=str(watched),
        mtime_ns=status.st_mtime_ns,
        size=status.st_size,
        packages=python.packages,
    )
    if environment.kind == "python":
        return replace(made, sha256=_packages_digest(python))
    is_same = known is not None and known.watched == made.watched and is_current(known)
    return replace(made, sha256=known.sha256 if known and is_same else sha256(watched))


def _packages_digest(python: Python) -> str:
    lines = [f"{name}=={version}\n" for name, version in python.packages.items()]
    return digest_text("".join([f"python=={python.version}\n", *lines]))


def ready_environment(experiment: str, results: Path) -> MadeEnvironment | None:
    """Return the environment of a run that is about to be trained; None if Caduceus's own serves.

    An interpreter whose packages have changed since Snakemake started is asked again.

    Raises:
        ResourceError: it wasn't made, or has changed.
    """
    environment = environment_of(experiment)
    if environment is None:
        return None
    made = checked_environment(environment, results)
    if made.kind == "python" and not is_current(made):
        return examine(environment, made)
    if made.kind == "apptainer":
        program_environments.find_apptainer()  # this host may lack it
    return made


def environment_variables(
    made: MadeEnvironment | None, variables: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables that activate an environment, as its own `activate` does.

    Args:
        made: the environment; None if Caduceus's own serves.
        variables: those of this process.
    """
    if made is None:
        return {}
    if made.kind == "apptainer":
        # Packages in the user's home folder are those of another Python.
        return {IN_IMAGE: "1", "PYTHONNOUSERSITE": "1"}
    path = [str(Path(made.interpreter).parent), variables.get("PATH", os.defpath)]
    found = {"PATH": os.pathsep.join(path), "VIRTUAL_ENV": made.prefix}
    return found | ({"PYTHONHOME": ""} if "PYTHONHOME" in variables else {})


def words_inside(
    made: MadeEnvironment | None,
    words: Sequence[str],
    folder: RunFolder,
    scratch: Path,
    dataset: Path | None,
    has_gpus: bool,
) -> list[str]:
    """Return the command line that runs `words` in an environment.

    Args:
        made: the environment; None if Caduceus's own serves.
        words: the program's command line.
        folder: the run's folder.
        scratch: the folder that the program logs to.
        dataset: the record of the run's dataset, or None.
        has_gpus: whether the program has GPUs.

    Raises:
        ResourceError: there is no Apptainer.
    """
    if made is None or made.kind != "apptainer":
        return [*words]
    root = Path().absolute()
    # What a link in the project leads to, such as data on another disk.
    linked = [entry.resolve() for entry in sorted(root.iterdir()) if entry.is_symlink()]
    data = [Path(DatasetRecord.read(dataset).path).absolute()] if dataset else []
    wanted = [root, folder.results.absolute(), scratch.absolute(), SHIM, *data, *linked]
    bound = [path for path in [*wanted, *(path.resolve() for path in wanted)] if path.exists()]
    image, cwd = Path(made.watched), folder.code.absolute()
    return [*program_environments.image_words(image, cwd, bound, has_gpus), *words]
