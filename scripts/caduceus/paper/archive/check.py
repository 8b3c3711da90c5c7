"""The proof of an archive: what is derived in it is made anew from the rest, and compared."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.files import read_json, sha256
from caduceus.paper.archive.generated_files import FACTS, installed_packages
from caduceus.paper.archive.zips import unpack
from caduceus.system import processes

_DERIVED = "derived/"
# Whoever does one of these does a run anew.
_RUN_RULES = ("make_dataset", "train", "sweep_agent", "find_run", "export_run", "export_server_run")


def check_archive(path: Path, cores: int, say: Callable[[str], None]) -> None:
    """Check every file of an archive, and that what is derived in it is made again from the rest.

    Nothing is trained, no network is used, and nothing of the project it was made from.

    Args:
        path: the zip.
        cores: how many jobs run at a time.
        say: takes a line for each thing that was found.

    Raises:
        ResultError: something is missing, damaged, different or can't be rebuilt.
    """
    with tempfile.TemporaryDirectory(prefix="caduceus-archive-") as place:
        folder, expected, problems = unpack(path, Path(place).resolve())
        for problem in problems:
            say(problem)
        if problems:
            raise ResultError(
                f"{len(problems)} of its files aren't what they were; nothing was rebuilt from "
                "them: get the archive anew",
                str(path),
            )
        say(f"files: {len(expected)}, each as its digest says")
        found = list(rebuild(folder, expected, cores))
        for _, line in found:
            say(line)
        different = sum(not is_same for is_same, _ in found)
        if different:
            others = other_packages(folder)
            for each in others:
                say(f"installed: {each}")
            hint = "; other versions are installed than where it was made" if others else ""
            raise ResultError(
                f"{different} of {len(found)} derived files aren't the same again{hint}", str(path)
            )


def rebuild(folder: Path, expected: Mapping[str, str], cores: int) -> Iterator[tuple[bool, str]]:
    """Make the derived files of an unpacked archive anew, by its own pipeline and no other file.

    Args:
        folder: the archive's.
        expected: the sha256 of each of its files by its name.
        cores: how many jobs run at a time.

    Yields:
        For each derived file whether it has the same bytes again, and a line that says so.

    Raises:
        ResultError: a run would have to be trained or exported anew, or Snakemake failed.
    """
    _check_jobs(folder)
    _snakemake(folder, ["--cores", str(cores)])
    results = folder / "project" / read_json(folder / FACTS)["results"]
    for name, digest in expected.items():
        if not name.startswith(_DERIVED):
            continue
        made = results / name.removeprefix(_DERIVED)
        if not made.is_file():
            yield False, f"not rebuilt: {name}"
        elif sha256(made) != digest:
            yield False, f"different: {name}{_first_difference(folder / name, made)}"
        else:
            yield True, f"the same: {name}"


def other_packages(folder: Path) -> list[str]:
    """The packages of which another version is installed here than where it was made.

    Args:
        folder: the unpacked archive's.

    Returns:
        For each its name and both versions.
    """
    here = installed_packages()
    lines = (folder / "environment.txt").read_text().splitlines()
    there = dict(line.split("==") for line in lines)
    return [
        f"{name} {here[name]} instead of {version}"
        for name, version in there.items()
        if here.get(name, version) != version
    ]


def _check_jobs(folder: Path) -> None:
    """See that nothing would be trained, before anything is started."""
    plan = _snakemake(folder, ["--dry-run", "--quiet", "rules"])
    table = plan.partition("Job stats:")[2].partition("\n\n")[0]
    jobs = dict(line.split() for line in table.splitlines() if len(line.split()) == 2)
    for rule in _RUN_RULES:
        if rule in jobs:
            raise ResultError(
                f"can't be rebuilt from its exports: Snakemake would start {rule}, {jobs[rule]} "
                "times; what it finds there isn't what the runs were planned by",
                folder.name,
            )


def _snakemake(folder: Path, arguments: Sequence[str]) -> str:
    """Run the archive's own pipeline; returns what it printed.

    Raises:
        ResultError: it failed.
    """
    words = [sys.executable, "-m", "snakemake", "--scheduler", "greedy", "--nocolor"]
    words += ["--profile", "none", "--workflow-profile", "none", *arguments]
    console = folder.parent / "snakemake.log"
    with console.open("wb") as stream:
        outcome = processes.run(words, folder, _environment(folder), stream)
    printed = console.read_text(errors="replace")
    if outcome.exit_code != 0:
        lines = [line for line in printed.splitlines() if line.strip()]
        said = [line for line in lines if line.startswith("caduceus")] or lines[-1:]
        raise ResultError(f"Snakemake failed: {' / '.join(said)}", folder.name)
    return printed


def _environment(folder: Path) -> dict[str, str]:
    """Ours, without what would have Snakemake or wandb look elsewhere than in the archive."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WANDB_", "SNAKEMAKE_"))
    }
    local = [f"project/{entry}" for entry in read_json(folder / FACTS)["python_path"]]
    folders = [str(folder / name) for name in ("pipeline/scripts", *local)]
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return kept | {"PYTHONPATH": os.pathsep.join(folders), "PATH": programs}


def _first_difference(there: Path, here: Path) -> str:
    """Where two files first differ, if they are text."""
    try:
        old, new = (path.read_text().splitlines() for path in (there, here))
    except UnicodeDecodeError:
        return ""
    pairs = zip([*old, None], [*new, None], strict=False)
    line = next((number for number, (a, b) in enumerate(pairs, 1) if a != b), None)
    return f", from line {line} on" if line else ", by the ends of its lines"
