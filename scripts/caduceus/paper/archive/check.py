"""Check an archive: compare its digests, rebuild its derived files and compare these."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from caduceus.errors import ResultError
from caduceus.io.csv_rows import columns_of, text_rows
from caduceus.io.failed_entries import recorded
from caduceus.io.files import damaged, sha256
from caduceus.io.json_records import Record
from caduceus.io.names import is_safe_path, quoted
from caduceus.io.phrases import count_of
from caduceus.paper.archive.generated_files import METADATA, installed_packages
from caduceus.paper.archive.zips import Limits, unpack
from caduceus.system import processes
from caduceus.system.clean_exit import exit_on_signals

_DERIVED = "derived/"
_NEEDED = (METADATA, "left_out.csv", "environment.txt")
_MEND = "unpack the archive again"
# A job of one of these rules trains or exports a run again.
_RUN_RULES = (
    *("make_dataset", "train", "sweep_agent", "find_run"),
    *("export_run", "export_fetched_run", "export_server_run"),
)


@dataclass(frozen=True)
class _Metadata(Record):
    """caduceus.json, as far as the check needs it: folders below project/."""

    results: str
    python_path: tuple[str, ...] = ()

    mend: ClassVar[str] = _MEND


def check_archive(path: Path, cores: int, limits: Limits, say: Callable[[str], None]) -> None:
    """Check every file of an archive, and that its derived files can be rebuilt from the rest.

    It trains nothing, and uses neither the network nor the project that the archive was made from.

    Args:
        path: the zip.
        cores: the number of parallel jobs.
        limits: how much it may unpack to.
        say: called with each line of the report.

    Raises:
        ResultError: a file is missing, damaged or different, or can't be rebuilt.
    """
    with (
        exit_on_signals(),
        tempfile.TemporaryDirectory(prefix="caduceus-archive-") as temporary,
    ):
        folder, expected, problems = unpack(path, Path(temporary).resolve(), limits)
        for problem in problems:
            say(problem)
        if problems:
            raise ResultError(
                f"{count_of(len(problems), 'file')} missing, damaged or different, so nothing was "
                "rebuilt; get the archive again",
                str(path),
            )
        for name in _NEEDED:
            if name not in expected:
                raise ResultError(f"lacks {name}; it isn't an archive of Caduceus", str(path))
        say(f"files: {len(expected)}, all digests match")
        for line in lacking_code(folder):
            say(line)
        compared = list(rebuild(folder, expected, cores))
        for _, line in compared:
            say(line)
        for failed in recorded(folder / "project" / _metadata(folder).results):
            for line in failed.errors:
                say(f"failed, here and where it was made: {line}")
        different = sum(not is_same for is_same, _ in compared)
        if different:
            packages = changed_packages(folder)
            for package in packages:
                say(f"installed: {package}")
            hint = "; packages have other versions than where it was made" if packages else ""
            raise ResultError(
                f"{different} of {len(compared)} derived files differ after the rebuild{hint}",
                str(path),
            )


def rebuild(folder: Path, expected: Mapping[str, str], cores: int) -> Iterator[tuple[bool, str]]:
    """Rebuild the derived files of an unpacked archive with its own pipeline and files only.

    Args:
        folder: the unpacked archive.
        expected: the sha256 of each of its files, by name.
        cores: the number of parallel jobs.

    Yields:
        For each derived file whether it has the same bytes as before, and a line that says so.

    Raises:
        ResultError: a run would have to be trained or exported again, or Snakemake failed.
    """
    results = make_derived(folder, cores)
    for name, digest in expected.items():
        if not name.startswith(_DERIVED):
            continue
        rebuilt = results / name.removeprefix(_DERIVED)
        if not rebuilt.is_file():
            yield False, f"not rebuilt: {name}"
        elif sha256(rebuilt) != digest:
            yield False, f"different: {name}{_first_difference(folder / name, rebuilt)}"
        else:
            yield True, f"the same: {name}"


def make_derived(folder: Path, cores: int) -> Path:
    """Make everything that follows from the runs in an unpacked archive.

    Args:
        folder: the unpacked archive.
        cores: the number of parallel jobs.

    Returns:
        Its folder results/.

    Raises:
        ResultError: a run would have to be trained or exported again, or Snakemake failed.
    """
    _check_jobs(folder)
    _snakemake(folder, ["--cores", str(cores)])
    return folder / "project" / _metadata(folder).results


def lacking_code(folder: Path) -> Iterator[str]:
    """Yield the files that runs used beyond their code and that an unpacked archive lacks."""
    results = _metadata(folder).results
    path = folder / "left_out.csv"
    if not {"file", "why"} <= set(columns_of(path)):
        raise damaged(path, "it lacks the columns file and why", _MEND)
    for row in text_rows(path):
        if not row["file"].startswith(f"project/{results}/"):
            yield f"lacks {row['file']}: {row['why']}"


def _metadata(folder: Path) -> _Metadata:
    """Read the metadata of an unpacked archive, whose folders lie in project/."""
    path = folder / METADATA
    metadata = _Metadata.read(path)
    for name in (metadata.results, *metadata.python_path):
        if name != "." and not is_safe_path(name):
            raise damaged(path, f"{quoted(name)} can't name a folder in project/", _MEND)
    return metadata


def changed_packages(folder: Path) -> list[str]:
    """List the packages whose installed version differs from that of the archive.

    Args:
        folder: the unpacked archive.

    Returns:
        For each package its name and both versions.
    """
    installed = installed_packages()
    lines = (folder / "environment.txt").read_text(errors="replace").splitlines()
    archived = {name: version for name, _, version in (line.partition("==") for line in lines)}
    return [
        f"{name} {installed[name]} instead of {version}"
        for name, version in archived.items()
        if installed.get(name, version) != version
    ]


def _check_jobs(folder: Path) -> None:
    """Refuse an archive whose rebuild would train or export a run, before it is started."""
    plan = _snakemake(folder, ["--dry-run", "--quiet", "rules"])
    table = plan.partition("Job stats:")[2].partition("\n\n")[0]
    jobs = dict(line.split() for line in table.splitlines() if len(line.split()) == 2)
    for rule in _RUN_RULES:
        if rule in jobs:
            raise ResultError(
                f"can't be rebuilt from its exports: Snakemake would start {rule}, {jobs[rule]} "
                "times, as the archive's files differ from those the runs were planned with",
                folder.name,
            )


def _snakemake(folder: Path, arguments: Sequence[str]) -> str:
    """Run the archive's own pipeline and return its output.

    Raises:
        ResultError: it failed.
    """
    command = [sys.executable, "-m", "snakemake", "--scheduler", "greedy", "--nocolor"]
    command += ["--profile", "none", "--workflow-profile", "none", *arguments]
    console = folder.parent / "snakemake.log"
    with console.open("wb") as stream:
        outcome = processes.run(command, folder, _environment(folder), stream)
    output = console.read_text(errors="replace")
    if outcome.interrupted_by:
        raise SystemExit(128 + outcome.interrupted_by)
    if outcome.exit_code != 0:
        lines = [line for line in output.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("caduceus")] or lines[-1:]
        raise ResultError(f"Snakemake failed: {' / '.join(errors)}", folder.name)
    return output


def _environment(folder: Path) -> dict[str, str]:
    """Return our environment without variables that lead Snakemake or wandb out of the archive."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WANDB_", "SNAKEMAKE_"))
    }
    local = [f"project/{entry}" for entry in _metadata(folder).python_path]
    folders = [str(folder / name) for name in ("pipeline/scripts", *local)]
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return kept | {"PYTHONPATH": os.pathsep.join(folders), "PATH": programs}


def _first_difference(archived: Path, rebuilt: Path) -> str:
    """Say where two text files first differ; return nothing for binary files."""
    try:
        old, new = (path.read_text().splitlines() for path in (archived, rebuilt))
    except UnicodeDecodeError:
        return ""
    pairs = zip([*old, None], [*new, None], strict=False)
    line = next((number for number, (a, b) in enumerate(pairs, 1) if a != b), None)
    return f", from line {line} on" if line else ", in its line endings"
