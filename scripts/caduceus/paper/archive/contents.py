"""The files of an archive, and their names in it.

    project/    what the user wrote and, below results/, the exported runs
    code/       the code that ran, each version once
    derived/    what Snakemake makes from these: groups, sweeps' exports, the paper, the report
    pipeline/   Caduceus itself

Derived files lie outside project/, so that Snakemake makes them again in the unpacked archive.
The pipeline does too, so that a pattern in an experiment's `code` matches the same files as here.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import caduceus
from caduceus.errors import ResultError, SpecError
from caduceus.io.files import canonical_json, files_below
from caduceus.io.names import is_safe_path, quoted
from caduceus.io.patterns import matching_paths
from caduceus.io.yaml_files import as_number, load
from caduceus.project.project import Project
from caduceus.runs.files.params import ADOPTED_FILE
from caduceus.runs.package_roots import package_marks
from caduceus.runs.source_code import code_files, program_files

_ABOUT_PROJECT = (
    *("LICEN[CS]E*", "COPYING*", "NOTICE*", "README*", "CITATION.cff", ".zenodo.json"),
    ADOPTED_FILE,
)
_PIPELINE_FILES = ("Snakefile", "pyproject.toml", "LICENSE", "*.md", "results/README.md")
_PIPELINE_FOLDERS = ("workflow", "envs")
_PACKAGES = (
    "caduceus",
    "snakemake_executor_plugin_caduceus_slurm",
    "snakemake_executor_plugin_caduceus_cluster",
    "snakemake_logger_plugin_caduceus",
)


@dataclass(frozen=True)
class Entry:
    """A file of an archive: its name, its path or content, and the sha256 it must have."""

    name: str
    source: Path | bytes
    sha256: str | None = None

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    def read(self) -> bytes:
        """Return its content."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()

    def differing(self) -> ResultError:
        """Make the error that it isn't what its export's manifest says."""
        return ResultError(
            "differs from manifest.json beside it; delete manifest.json to export the run again",
            str(self.source),
        )


@dataclass
class Contents:
    """The files of an archive by name, and the files of runs that it lacks or stores elsewhere.

    Attributes:
        entries: by name.
        left_out: name, bytes, sha256 and reason of each file of a run that is left out.
        moved: likewise, of each file of a run that is stored under code/.
        code: by run, the folder of code/ with the code it ran; runs that don't say it are missing.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    left_out: list[tuple[str, int, str, str]] = field(default_factory=list)
    moved: list[tuple[str, int, str, str]] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, source: Path | bytes, sha256: str | None = None) -> None:
        """Add a file, unless its name was added before or can't be a file's everywhere."""
        entry = Entry(name, source, sha256)
        if is_safe_path(name):
            self.entries.setdefault(name, entry)
        else:
            why = "its name can't be a file's on every system"
            self.left_out.append((quoted(name), entry.size, sha256 or "", why))


def add_written(
    contents: Contents, project: Project, config: Mapping[str, Any], config_files: Sequence[Path]
) -> None:
    """Add the files that the user wrote and the configuration refers to.

    Args:
        contents: to add to.
        project: the loaded project.
        config: the configuration as Snakemake has it.
        config_files: the files it was read from.

    Raises:
        SpecError: a file lies outside the project's folder, or no file matches a pattern.
    """
    contents.add("project/config.yaml", _config(config, config_files))
    for path in _project_files(project):
        contents.add(f"project/{inside(path)}", path)


def add_pipeline(contents: Contents, pipeline: Path) -> None:
    """Add Caduceus itself.

    Args:
        contents: to add to.
        pipeline: the folder of its Snakefile.

    Raises:
        SpecError: the folder contains no Snakefile.
    """
    for name, path in _pipeline_files(pipeline):
        contents.add(f"pipeline/{name}", path)


def _config(config: Mapping[str, Any], files: Sequence[Path]) -> Path | bytes:
    """Return config.yaml, or the configuration of Snakemake if something overrode the file."""
    if len(files) == 1 and _are_equal(load(files[0]).value, config):
        return files[0]
    text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
    return f"# The configuration, with what `--config` or another file overrode.\n{text}".encode()


def _are_equal(value: Any, other: Any) -> bool:
    return canonical_json(as_number(value)) == canonical_json(as_number(other))


def _project_files(project: Project) -> Iterator[Path]:
    """Yield the files that the user wrote and the configuration refers to."""
    root = Path()
    settings = project.settings
    for pattern in _ABOUT_PROJECT:
        yield from sorted(path for path in root.glob(pattern) if path.is_file())
    yield from package_marks(root)  # or the code, and so each run's id, would be another one
    if settings.paper_file:
        yield root / settings.paper_file
    yield from map(root.joinpath, settings.custom_rules)
    for experiment in project.experiments.values():
        spec = experiment.spec
        yield from map(root.joinpath, experiment.source.files)
        yield from code_files(root / spec.program, spec.code, root, spec.command)
        if spec.sweep and isinstance(spec.sweep.config, str):
            yield root / spec.sweep.config
        if spec.dataset and spec.dataset.program:
            yield from program_files(root / spec.dataset.program, root)
    for index, pattern in enumerate(settings.archive.include):
        try:
            matched = [path for path in matching_paths(root, pattern) if is_visible(path)]
        except ValueError as error:
            raise SpecError(f"archive.include[{index}]: {error}", "config.yaml") from None
        if not matched:
            raise SpecError(
                f"archive.include[{index}]: no visible file or folder matches {pattern!r}; "
                "patterns are relative to the project's folder",
                "config.yaml",
            )
        for path in matched:
            below = files_below(path) if path.is_dir() else [path]
            yield from filter(is_visible, below)


def inside(path: Path) -> str:
    """Return the path of a file relative to the project's folder, or refuse one outside.

    Raises:
        SpecError: the file lies outside the folder.
    """
    name = Path(os.path.normpath(path))
    if name.is_absolute() or name.parts[0] == "..":
        raise SpecError(
            "lies outside the project's folder; move it inside, so that an archive can contain it",
            str(path),
        )
    return name.as_posix()


def is_visible(path: Path) -> bool:
    """Whether no part of a path is hidden or Python's cache."""
    return not any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def _pipeline_files(pipeline: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of Caduceus with their names in its repository, where it is installed too."""
    if not (pipeline / "Snakefile").is_file():
        raise SpecError(
            "contains no Snakefile of Caduceus; use the Snakefile of a clone of its repository, so "
            "that an archive can contain it",
            str(pipeline),
        )
    for pattern in _PIPELINE_FILES:
        for path in sorted(pipeline.glob(pattern)):
            yield path.relative_to(pipeline).as_posix(), path
    library = Path(caduceus.__file__).parents[1]
    bases = [(pipeline, pipeline / name) for name in _PIPELINE_FOLDERS]
    bases += [(library, library / name) for name in _PACKAGES]
    for base, folder in bases:
        for path in files_below(folder):
            name = path.relative_to(base)
            if is_visible(name):
                yield (f"scripts/{name}" if base == library else str(name)), path


def table(heads: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Return the content of a CSV file, with its rows sorted."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([heads, *sorted(rows)])
    return stream.getvalue().encode()
