"""Checks of Python, its packages against the lock, PyTorch and GPUs."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from caduceus import DISTRIBUTION, SNAKEFILE
from caduceus.overview.doctor.findings import Finding
from caduceus.system import kernel, nvml, wandb_private

LOCK = Path(SNAKEFILE).parent / "envs/requirements.txt"
_OLDEST = (3, 11)
_LOSES_ROWS_BEFORE = (0, 31)
_OTHER = "caduceus"  # a package of others on PyPI, with modules of the same name
_NAMED = 4  # differing packages that are named; the rest is counted


def look_at_python(version: tuple[int, int, int] = sys.version_info[:3]) -> Finding:
    """Check that Python is new enough."""
    text = ".".join(map(str, version))
    if version >= _OLDEST:
        return Finding("fine", "Python", text)
    return Finding("error", "Python", f"{text}, and 3.11 is the oldest", "PYTHON=python3.12 make")


def look_at_namesake(installed: Iterable[metadata.Distribution]) -> Iterator[Finding]:
    """Report the package of others that writes into the folder `caduceus` of site-packages too."""
    for found in installed:
        starts = {entry.value.partition(":")[0] for entry in found.entry_points}
        if _normal(found.name) == _OTHER and "caduceus.__main__" not in starts:
            yield Finding(
                "error",
                "Caduceus",
                f"the package {_OTHER} {found.version}, of others, is installed in this "
                "environment too, with modules and a command of the same name",
                f"pip uninstall {_OTHER}, then pip install --force-reinstall --no-deps "
                f"{DISTRIBUTION}",
            )


def look_at_requirements(required: Iterable[str], installed: Mapping[str, str]) -> Finding:
    """Compare the installed packages, by normalised name, with what Caduceus requires."""
    needed = [found for found in map(Requirement, required) if _applies(found)]
    missing = [found.name for found in needed if _normal(found.name) not in installed]
    wrong = [
        f"{found.name} {version}, not {found.specifier}"
        for found in needed
        if (version := installed.get(_normal(found.name)))
        and not found.specifier.contains(version, prereleases=True)
    ]
    mend = f"pip install --upgrade {DISTRIBUTION}"
    if missing:
        return Finding("error", "packages", f"missing: {_some(missing)}", mend)
    if wrong:
        return Finding("error", "packages", _some(wrong), mend)
    return Finding("fine", "packages", f"all {len(needed)} as {DISTRIBUTION} requires them")


def look_at_packages(locked: Mapping[str, str], installed: Mapping[str, str]) -> Finding:
    """Compare the installed packages with the lock, both versions by normalised name."""
    missing = [name for name in locked if name not in installed]
    if missing:
        return Finding("error", "packages", f"missing: {_some(missing)}", "make")
    other = [
        f"{name} {installed[name]} for {version}"
        for name, version in locked.items()
        if installed[name] != version
    ]
    if other:
        return Finding(
            "warning",
            "packages",
            f"{len(other)} of {len(locked)} differ from the lock: {_some(other)}",
            "run make, or others may get other results",
        )
    return Finding("fine", "packages", f"all {len(locked)} as locked")


def look_at_wandb() -> Iterator[Finding]:
    """Check that wandb has the private names that Caduceus uses, and what it survives."""
    version = wandb_private.version()
    for line in wandb_private.missing_features():
        yield Finding("warning", "wandb", line)
    minor = ".".join(version.split(".")[:2])
    if minor not in wandb_private.TESTED:
        tested = " and ".join(wandb_private.TESTED)
        yield Finding("warning", "wandb", f"{version}; tested are {tested}")
    elif _version(minor) < _LOSES_ROWS_BEFORE:
        yield Finding("fine", "wandb", f"{version}; {wandb_private.LOSES_ROWS}")
    else:
        yield Finding("fine", "wandb", version)


def locked_versions(lock: Path = LOCK) -> dict[str, str]:
    """Return the versions in the lock, by normalised name."""
    lines = (line.partition("==") for line in lock.read_text().splitlines() if "==" in line)
    return {_normal(name): version for name, _, version in lines}


def own_requirements() -> list[str]:
    """Return the requirements of the installed package; none in a clone, which has the lock."""
    if Path(SNAKEFILE).is_symlink():
        return []
    try:
        return metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:  # an archive's, which has the lock too
        return []


def installed_versions() -> dict[str, str]:
    """Return the installed versions by normalised name, without build suffixes (+cpu)."""
    return {
        _normal(found.metadata["Name"]): found.version.partition("+")[0]
        for found in metadata.distributions()
        if found.metadata["Name"]
    }


def look_at_gpus(
    cuda_of_torch: str | None, library: Any = nvml.LIBRARY, has_torch: bool = True
) -> Iterator[Finding]:
    """Check the GPUs that NVML shows, and that their driver is new enough for PyTorch.

    Args:
        cuda_of_torch: the CUDA version that PyTorch was built for; None for a CPU build.
        library: pynvml, or a test's replacement.
        has_torch: whether PyTorch is installed here.
    """
    driver = nvml.driver(library)
    if driver is None:
        if gpu := kernel.mps():
            yield Finding("fine", "GPUs", f"{gpu}, which programs use as `mps`; runs share it")
        elif not has_torch:
            yield Finding("fine", "GPUs", "none, and PyTorch isn't installed here")
        elif cuda_of_torch is None:
            yield Finding("fine", "GPUs", "none, and PyTorch is built for the CPU")
        else:
            text = f"none that NVML shows, and PyTorch is built for CUDA {cuda_of_torch}"
            yield Finding(
                "warning", "GPUs", text, "on a node with GPUs, check that nvidia-smi works"
            )
        return
    names = ", ".join(dict.fromkeys(driver.gpus))
    text = f"{len(driver.gpus)} ({names}), driver {driver.version} for CUDA {driver.cuda}"
    if not has_torch:
        yield Finding("fine", "GPUs", f"{text}; PyTorch isn't installed here")
    elif cuda_of_torch is None:
        mend = "install the PyTorch of pytorch.org for CUDA to use them"
        yield Finding("warning", "GPUs", f"{text}; PyTorch is built for the CPU", mend)
    elif _version(cuda_of_torch)[0] > _version(driver.cuda)[0]:
        mend = "a newer driver, or a PyTorch for an older CUDA"
        yield Finding("error", "GPUs", f"{text}; PyTorch wants CUDA {cuda_of_torch}", mend)
    else:
        yield Finding("fine", "GPUs", f"{text}; PyTorch is built for {cuda_of_torch}")


def cuda_of_torch() -> str | None:
    """Return the CUDA version that PyTorch was built for, without importing it; None for CPU."""
    for file in metadata.files("torch") or []:
        if file.parts == ("torch", "version.py"):
            found = re.search(r"^cuda.*=\s*'([\d.]+)'", file.read_text(), re.MULTILINE)
            return found[1] if found else None
    return None


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("."))


def _some(words: list[str]) -> str:
    rest = len(words) - _NAMED
    return ", ".join(words[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
