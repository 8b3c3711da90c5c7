"""Create an archive: everything that a paper's numbers were made from, in one zip."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from caduceus.paper.archive.anonymous import anonymise, refuse_names
from caduceus.paper.archive.anonymous_derived import add_derived_again
from caduceus.paper.archive.contents import (
    Contents,
    add_pipeline,
    add_written,
    inside,
    table,
)
from caduceus.paper.archive.crate import CRATE, crate
from caduceus.paper.archive.environment_files import environment_files
from caduceus.paper.archive.generated_files import generated_files
from caduceus.paper.archive.result_files import add_runs, derived_files
from caduceus.paper.archive.zips import write_zip
from caduceus.project.project import Project
from caduceus.system.known_secrets import known_secrets


@dataclass(frozen=True)
class Archive:
    """A created archive: its path, its number of files, and those that were left out.

    Attributes:
        to_read: files and lines of an anonymous archive that may name somebody.
    """

    path: Path
    files: int
    left_out: int
    left_out_bytes: int
    to_read: tuple[str, ...] = ()


def make_archive(
    project: Project,
    config: Mapping[str, Any],
    config_files: Sequence[Path],
    results: Path,
    made: Sequence[Path],
    pipeline: Path,
    cores: int = 1,
) -> Archive:
    """Write results/archive/NAME.zip of the project in the working directory.

    The same files give the same bytes, with the same version of zlib and the same environment.
    Files come after those they are made from: unpacking in this order gives them later times, so
    that Snakemake considers nothing out of date.

    Args:
        project: the loaded project, all of whose runs have been exported.
        config: the configuration as Snakemake has it.
        config_files: the files it was read from.
        results: the folder results/.
        made: one file of each group, sweep, table, figure and so on below `results`.
        pipeline: the folder of Caduceus's Snakefile.
        cores: the number of parallel jobs by which an anonymous archive's paper is made again.

    Raises:
        SpecError: a file lies outside the project's folder, or no file matches a pattern.
        ResultError: a file of an export is missing or was changed, or a file contains a secret; or
            the archive is anonymous, and a file names somebody.
    """
    settings = project.settings.archive
    name = project.settings.archive_name
    inside(results)
    contents = Contents()
    for file, text in generated_files(project, name, results):
        contents.add(file, text)
    add_written(contents, project, config, config_files)
    for file, source in environment_files(project, results):
        contents.add(file, source)
    add_pipeline(contents, pipeline)
    add_runs(contents, project, results)
    derived = [path.relative_to(results) for path in derived_files(made, results)]
    path = results / "archive" / f"{name}.zip"
    to_read: list[str] = []
    with ExitStack() as stack:
        if settings.anonymous:
            anonymity = anonymise(contents, results)
            searched = [*contents.entries.values()]
            to_read += refuse_names(anonymity, name, searched)
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="caduceus-archive-")))
            add_derived_again(contents, anonymity, derived, results, folder.resolve(), cores)
        else:
            for made_file in derived:
                contents.add(f"derived/{made_file}", results / made_file)
        contents.add("code/runs.csv", table(("run", "code"), contents.code.items()))
        header = ("file", "bytes", "sha256", "why")
        contents.add("left_out.csv", table(header, contents.left_out + contents.moved))
        contents.add(CRATE, crate(contents, name, results.as_posix()))
        if settings.anonymous:
            to_read += refuse_names(anonymity, name, [*contents.entries.values()][len(searched) :])
        digests = write_zip(path, name, contents.entries.values(), known_secrets())
    left_out_bytes = sum(size for _, size, _, _ in contents.left_out)
    left_out = len(contents.left_out)
    return Archive(path, len(digests), left_out, left_out_bytes, tuple(to_read))
