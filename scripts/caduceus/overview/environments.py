"""The environments of finished runs: what differs between them, and from the present one."""

import platform
import re
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from caduceus.errors import ResourceError, ResultError
from caduceus.io.files import sha256
from caduceus.io.phrases import count_of, listed
from caduceus.runs.differences import (
    content_name,
    differences,
    environment,
    merged,
    short_digest,
)
from caduceus.runs.environments import is_current, record_path
from caduceus.runs.files.environment import EnvironmentSpec, MadeEnvironment
from caduceus.runs.files.usage import LibraryFile
from caduceus.runs.record import RunRecord
from caduceus.system import nvml, slurm
from caduceus.system.host import describe_machine
from caduceus.system.program_environments import lock_file
from caduceus.training.usage import distribution

_NAMED = 4  # differences in a line
_PYTHON = re.compile(r"python[0-9.]*")
# uv writes version_info.
_VERSION = re.compile(r"^version(?:_info)? *= *(\d+\.\d+\.\d+)", re.MULTILINE)

# The present value of each part of the environment of a run, by name.
Present = Callable[[RunRecord], Mapping[str, str]]


def finished_runs(records: Iterable[RunRecord], planned: Collection[str]) -> list[RunRecord]:
    """Return the runs that were trained here and have finished, of those that are planned."""
    return [
        record
        for record in records
        if record.run in planned
        and not record.damage
        and record.train
        and record.train.state == "finished"
    ]


@dataclass(frozen=True)
class Difference:
    """A difference between runs of an experiment that should be alike, in words."""

    experiment: str
    text: str


@dataclass(frozen=True)
class Behind:
    """Runs of an experiment that finished in another environment than the present one.

    Attributes:
        experiment: its id.
        runs: how many there are.
        parts: what was different, with the present values.
    """

    experiment: str
    runs: int
    parts: str


def find_differences(finished: Sequence[RunRecord]) -> Iterator[Difference]:
    """Yield where seeds of a variant ran different code, and runs in different environments."""
    code: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    environments: dict[str, dict[str, None]] = {}
    for (experiment, variant), runs in _grouped(finished, _variant).items():
        found = differences([run.attempts for run in runs], are_seeds=True)
        if found.code:
            code.setdefault((experiment, found.code), []).append(variant)
        environments.setdefault(experiment, {}).update(dict.fromkeys(found.environment))
    for (experiment, files), variants in code.items():
        seeds = f"seeds of {listed(variants, _NAMED)} ran different code"
        yield Difference(experiment, f"{seeds}: {listed(files, _NAMED)}")
    for (experiment, _), runs in _grouped(finished, lambda run: (_variant(run)[0], "")).items():
        of_all = differences([run.attempts for run in runs]).environment
        if parts := merged(of_all, environments[experiment]):
            text = f"runs differ in their environment: {listed(parts, _NAMED)}"
            yield Difference(experiment, text)


def difference_lines(found: Iterable[Difference]) -> Iterator[str]:
    """Yield a line for each difference."""
    yield from (f"{each.experiment}: {each.text}" for each in found)


def find_behind(finished: Sequence[RunRecord], present: Present) -> list[Behind]:
    """Return the runs that finished in an environment that differs from the present one.

    They are left alone: a new version of a package trains nothing.
    """
    found: dict[tuple[str, str], int] = {}
    for run in finished:
        now = present(run)
        parts = [
            f"{name} {value} (now {now[name]})"
            for name, value in environment(run.attempts[-1]).items()
            if now.get(name, value) != value and (name, value) != ("GPU", "none")
        ]
        if parts:
            key = (_variant(run)[0], listed(parts, _NAMED))
            found[key] = found.get(key, 0) + 1
    return [Behind(experiment, count, parts) for (experiment, parts), count in found.items()]


def behind_lines(found: Sequence[Behind]) -> Iterator[str]:
    """Yield a line for each entry of `find_behind`, after a heading."""
    if found:
        yield "behind: finished in another environment than the present one, left alone"
    for each in found:
        yield f"  {each.experiment}, {count_of(each.runs, 'run')}: {each.parts}"


def present_environment(named: Mapping[str, EnvironmentSpec]) -> Present:
    """Return a function that describes the environment in which a run would be trained now.

    With SLURM its node isn't known, and so neither are its processor and GPUs.

    Args:
        named: the environments that experiments name, by their ids.
    """
    return lambda run: _present(run, named.get(run.identity.experiment))


def _present(run: RunRecord, named: EnvironmentSpec | None) -> dict[str, str]:
    if named:
        found = present_packages(named, run.folder.results)
    else:
        prefix = _prefix(tuple(word for word in run.params.command if isinstance(word, str)))
        found = dict(_installed(prefix))
        if prefix == Path(sys.prefix):
            found["Python"] = platform.python_version()
    usage = run.attempts[-1].usage if run.attempts else None
    for name, file in usage.libraries.items() if usage else ():
        if content := _present_content(file):
            found[name] = content
    return found if slurm.is_installed() else {**found, **_hardware()}


def present_packages(named: EnvironmentSpec, results: Path) -> dict[str, str]:
    """Return the Python and the packages that an environment has now, and its file's digest.

    It isn't started, so what isn't known is left out: of an image that has changed, its packages.
    """
    made = None
    with suppress(ResultError):  # the record is damaged: it is made again before runs are trained
        made = MadeEnvironment.read_if_there(record_path(named, results))
    path = Path(named.path).expanduser().absolute()
    if named.kind == "apptainer":
        if made and is_current(made):
            return {**made.packages, "Python": made.python, "image": short_digest(made.sha256)}
        return {"image": "another file" if path.exists() else "gone"}
    usual = path / ".venv" if named.kind == "uv" else path.parents[1]
    prefix = Path(made.prefix) if made else usual
    found = dict(_installed(prefix))
    if version := _python_version(prefix) or (made and is_current(made) and made.python):
        found["Python"] = version
    if named.kind == "uv":
        try:
            found["uv.lock"] = short_digest(sha256(lock_file(path)))
        except (ResourceError, OSError):
            found["uv.lock"] = "gone"
    return found


def _python_version(prefix: Path) -> str | None:
    """Return the version of the Python in an environment as its file says it, or None."""
    path = prefix / "pyvenv.cfg"
    found = _VERSION.search(path.read_text(errors="replace")) if path.is_file() else None
    return found[1] if found else None


def _present_content(file: LibraryFile) -> str | None:
    """Return what a library's file holds now, as `environment` says it; None if it isn't here."""
    try:
        status = Path(file.path).stat()
        mtime_ns, size = status.st_mtime_ns, status.st_size
        is_same = (mtime_ns, size) == (file.mtime_ns, file.size)
        digest = file.sha256 if is_same else _digest(file.path, mtime_ns, size)
        return content_name(digest, mtime_ns, size)
    except OSError:
        return None


@cache
def _digest(path: str, mtime_ns: int, size: int) -> str:
    """Return the sha256 of a file that has this time and size."""
    return sha256(Path(path))


def _prefix(command: Sequence[str]) -> Path:
    """Return the folder of the environment whose Python a command line starts."""
    for word in command:
        found = shutil.which(word) if _PYTHON.fullmatch(Path(word).name) else None
        if found:
            return Path(found).absolute().parents[1]
    return Path(sys.prefix)


@cache
def _installed(prefix: Path) -> Mapping[str, str]:
    """Return the version of each distribution in an environment, by name."""
    infos = sorted(prefix.glob("lib*/python*/site-packages/*-info"))
    return dict(found for info in infos if (found := distribution(info)))


@cache
def _hardware() -> Mapping[str, str]:
    models = {model.name for gpu in nvml.find_gpus() if (model := nvml.model_of(gpu))}
    machine = describe_machine()
    gpu, cpu = ", ".join(sorted(models)) or machine["mps"] or "none", machine["cpu"]
    return {"GPU": gpu, **({"CPU": cpu} if cpu else {})}


def _variant(run: RunRecord) -> tuple[str, str]:
    return run.identity.experiment, run.identity.variant


def _grouped(
    runs: Iterable[RunRecord], key: Callable[[RunRecord], tuple[str, str]]
) -> dict[tuple[str, str], list[RunRecord]]:
    found: dict[tuple[str, str], list[RunRecord]] = {}
    for run in runs:
        found.setdefault(key(run), []).append(run)
    return found
