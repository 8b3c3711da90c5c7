"""The interface to environments of programs: uv, interpreters, and Apptainer.

Each is asked by a short program of its own Python, which says where it is and what it has.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import ResourceError
from caduceus.io.files import Json
from caduceus.io.phrases import printable
from caduceus.system import processes
from caduceus.system.processes import StartError

_MAKING_S = 6 * 3600.0  # for uv to download and install packages
_ASKING_S = 300.0  # for an interpreter on a slow disk, or an image that is opened first
_IMAGE_PYTHON = "python3"
_START = "caduceus-environment "
_OUTDATED = "but `--locked` was provided"  # uv says so of a lock
_MOST = 300  # characters of another program's message
# Any Python from 3.8 runs it. The current folder isn't searched: it may hold a json.py.
_QUESTION = """\
import sys
sys.path[:] = [path for path in sys.path if path]
import json, sysconfig
from importlib import metadata
found = [(each.metadata["Name"], each.version) for each in metadata.distributions()]
print("caduceus-environment " + json.dumps({
    "interpreter": sys.executable,
    "prefix": sys.prefix,
    "python": "{}.{}.{}".format(*sys.version_info[:3]),
    "packages_folder": sysconfig.get_paths()["purelib"],
    "packages": {name.lower().replace("_", "-"): of for name, of in reversed(found) if name},
}))
"""


@dataclass(frozen=True)
class Python:
    """A Python that was asked.

    Attributes:
        interpreter: its path.
        prefix: the folder that it is installed in.
        version: its version.
        packages_folder: the folder of its packages.
        packages: their versions, by name.
    """

    interpreter: str
    prefix: str
    version: str
    packages_folder: str
    packages: Mapping[str, str]


def ask_uv_project(folder: Path, makes: bool = True) -> Python:
    """Return the Python that `uv run --locked` starts in a uv project.

    Args:
        folder: the project's, with pyproject.toml.
        makes: whether uv makes the environment, or installs what it lacks; else it is asked as it
            is.

    Raises:
        ResourceError: there is no uv, no project, no lock, or uv fails.
    """
    if not (folder / "pyproject.toml").is_file():
        raise ResourceError(f"{folder} has no pyproject.toml; name the folder of a uv project")
    lock_file(folder)
    beside = str(Path(sys.executable).parent)
    uv = shutil.which("uv") or shutil.which("uv", path=beside)
    if uv is None:
        raise ResourceError("there is no uv on PATH; install it, as by `pip install uv`")
    how = ["--locked"] if makes else ["--no-sync", "--offline"]
    words = [uv, "run", *how, "--project", str(folder), "python", "-c", _QUESTION]
    return _ask(words, f"`uv run --locked` in {folder}", _MAKING_S if makes else _ASKING_S)


def lock_file(folder: Path) -> Path:
    """Return the uv.lock of a uv project, which may lie in a folder above: that of its workspace.

    Raises:
        ResourceError: there is none.
    """
    for place in (folder.absolute(), *folder.absolute().parents):
        if (place / "uv.lock").is_file():
            return place / "uv.lock"
    raise ResourceError(f"{folder} has no uv.lock; make it by `uv lock` there")


def ask_interpreter(path: Path) -> Python:
    """Return what an interpreter says of itself.

    Raises:
        ResourceError: it isn't there, or doesn't start.
    """
    if not path.is_file():
        inside = path / "bin/python"
        mend = f"name {inside}" if inside.exists() else "name the interpreter of an environment"
        raise ResourceError(f"{path} isn't a file; {mend}")
    return _ask([str(path.absolute()), "-c", _QUESTION], str(path), _ASKING_S)


def ask_image(image: Path) -> Python:
    """Return the Python of an image.

    Raises:
        ResourceError: there is no image, no Apptainer, or no Python in it that starts.
    """
    if not image.is_file():
        raise ResourceError(f"{image} isn't a file; name an image, as `apptainer build` makes it")
    words = image_words(image, Path().absolute(), [], has_gpus=False)
    words += [_IMAGE_PYTHON, "-c", _QUESTION]
    return _ask(words, f"`{Path(words[0]).name} exec {image} {_IMAGE_PYTHON}`", _ASKING_S)


def find_apptainer() -> str:
    """Return the path of Apptainer, or of Singularity, which takes the same options.

    Raises:
        ResourceError: there is neither.
    """
    found = shutil.which("apptainer") or shutil.which("singularity")
    if found is None:
        raise ResourceError("there is neither apptainer nor singularity on PATH; install one")
    return found


def image_words(image: Path, cwd: Path, bound: Iterable[Path], has_gpus: bool) -> list[str]:
    """Return the words that start a command line in an image, by Apptainer or Singularity.

    Args:
        image: the image.
        cwd: the folder in which the command starts.
        bound: the folders that are there as on this machine, beside `cwd`.
        has_gpus: whether it gets the driver of GPUs.

    Raises:
        ResourceError: there is neither.
    """
    words = [find_apptainer(), "exec", *(["--nv"] if has_gpus else []), "--pwd", str(cwd)]
    for folder in dict.fromkeys([cwd, *bound]):
        words += ["--bind", str(folder)]
    return [*words, str(image.absolute())]


def _ask(words: Sequence[str], name: str, limit_s: float) -> Python:
    """Start a Python with our question, and return its answer.

    Raises:
        ResourceError: it doesn't answer.
    """
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        done = processes.capture(words, time_limit_s=limit_s, environment=variables)
    except StartError as error:
        reason = str(error).rpartition(": ")[2]
        raise ResourceError(f"{name} can't be started: {reason}; correct the path") from None
    if done is None:
        raise ResourceError(f"{name} didn't answer within {limit_s:g} s; try it by hand")
    for line in done.output.splitlines():
        if line.startswith(_START):
            return _python(json.loads(line.removeprefix(_START)))
    if _OUTDATED in " ".join(done.error.split()):  # uv breaks long lines
        raise ResourceError(f"{name}: uv.lock doesn't fit pyproject.toml; run `uv lock` there")
    raise ResourceError(f"{name} failed: {_reason(done)}; try it by hand")


def _python(answer: Mapping[str, Json]) -> Python:
    packages = answer["packages"]
    assert isinstance(packages, dict)
    return Python(
        str(answer["interpreter"]),
        str(answer["prefix"]),
        str(answer["python"]),
        str(answer["packages_folder"]),
        {name: str(version) for name, version in sorted(packages.items())},
    )


def _reason(done: processes.CommandOutput) -> str:
    """Return the line of a program's messages that says most: its error, or the last one."""
    lines = [line.strip() for line in (done.error or done.output).splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error:", "fatal:"))]
    text = printable((errors or lines[-1:] or [f"exit status {done.exit_code}"])[0])
    return text.removeprefix("error: ")[:_MOST].rstrip(".")
