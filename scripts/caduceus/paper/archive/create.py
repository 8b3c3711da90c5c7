"""An archive from end to end: made, and checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.paper.archive.contents import (
    Contents,
    add_pipeline,
    add_written,
    inside,
    table,
)
from caduceus.paper.archive.generated_files import pages
from caduceus.paper.archive.result_files import add_measured, derived_files
from caduceus.paper.archive.zips import write_zip
from caduceus.project.project import Project
from caduceus.system.known_secrets import known_secrets


@dataclass(frozen=True)
class Made:
    """An archive that was made: where, how many files it has, and what was left out of it."""

    path: Path
    files: int
    left_out: int
    left_out_bytes: int


def make_archive(
    project: Project,
    config: Mapping[str, Any],
    config_files: Sequence[Path],
    results: Path,
    made: Sequence[Path],
    pipeline: Path,
) -> Made:
    """Write results/archive/NAME.zip of the project in the folder we work in.

    The same files give the same bytes, with the same version of zlib and the same environment. What
    is made from other files comes after them, so that where it is unpacked without the files' times
    nothing seems out of date.

    Args:
        project: what is planned; every run has been exported.
        config: the configuration as Snakemake has it.
        config_files: where it was read from.
        results: the folder results/.
        made: a file of each group, sweep, table, figure and so on below `results`.
        pipeline: the folder of Caduceus's Snakefile.

    Raises:
        SpecError: a file lies outside the project's folder, or no file matches a pattern.
        ResultError: a file of an export is missing or isn't what it was, or one holds a secret.
    """
    name = project.settings.archive.name or _as_name(project.settings.wandb.project)
    inside(results)
    contents = Contents()
    for page, text in pages(project, name, results):
        contents.add(page, text)
    add_written(contents, project, config, config_files)
    add_pipeline(contents, pipeline)
    add_measured(contents, project, results)
    for path in derived_files(made, results):
        contents.add(f"derived/{path.relative_to(results)}", path)
    contents.add("code/runs.csv", table(("run", "code"), contents.code.items()))
    heads = ("file", "bytes", "sha256", "why")
    contents.add("left_out.csv", table(heads, contents.left_out + contents.moved))
    path = results / "archive" / f"{name}.zip"
    digests = write_zip(path, name, contents.entries.values(), known_secrets())
    left_out_bytes = sum(size for _, size, _, _ in contents.left_out)
    return Made(path, len(digests), len(contents.left_out), left_out_bytes)


def _as_name(project: str) -> str:
    """The name of a W&B project, which may have spaces, as one of a file."""
    return re.sub("[^A-Za-z0-9_.-]+", "-", project).strip(".-") or "archive"
