"""What goes into an archive, and under which names.

    project/    what the user wrote, and what was measured: below results/, the runs as exported
    code/       the code that ran, each version once
    derived/    what Snakemake makes from these: groups, sweeps' exports, the paper, the report
    pipeline/   Caduceus itself

What is derived lies apart, so that Snakemake makes it anew where an archive is unpacked. The
pipeline lies apart, so that a pattern in an experiment's `code` finds there what it found here.
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
from caduceus.files import canonical_json, digest_text, files_below, read_json
from caduceus.further_runs import with_further_runs
from caduceus.project import Project
from caduceus.runs import RunFolder
from caduceus.sources import code_files, program_files
from caduceus.yaml_files import as_number, load

DERIVED = "derived/"
RESULTS = "project/results/"
_ABOUT_PROJECT = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "README*", "CITATION.cff", ".zenodo.json")
_PIPELINE_FILES = ("Snakefile", "pyproject.toml", "LICENSE", "*.md", "results/README.md")
_PIPELINE_FOLDERS = ("workflow", "envs")
_PACKAGES = ("caduceus", "snakemake_executor_plugin_caduceus_slurm")
_RUN_FILES = ("params.json", "run.json", "server.json", "train.json", "upload.json")
_MAY_BE_LARGE = ("media", "artifacts")
_SWEEP_FILES = ("sweep.json", "sweep.yaml")  # the rest of a sweep's files is derived


@dataclass(frozen=True)
class Entry:
    """A file of an archive: its name there, where it is read, and the sha256 it must have."""

    name: str
    source: Path | bytes
    sha256: str | None = None

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size


@dataclass
class Contents:
    """The files of an archive by name, and those of the runs that aren't where they were.

    `left_out` and `moved` have for each its name, bytes, sha256, and why. `code` has for each run
    that says what code it ran, under which name of code/ that lies.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    left_out: list[tuple[str, int, str, str]] = field(default_factory=list)
    moved: list[tuple[str, int, str, str]] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, source: Path | bytes, sha256: str | None = None) -> None:
        """Take in a file; one that several things need is taken in once."""
        self.entries.setdefault(name, Entry(name, source, sha256))


def collect(
    project: Project,
    config: Mapping[str, Any],
    config_files: Sequence[Path],
    results: Path,
    made: Sequence[Path],
    pipeline: Path,
) -> Contents:
    """Everything that belongs into the archive of the project in the folder we work in.

    What is made from other files comes after them, so that also those who unpack it without the
    files' times get them in an order in which nothing seems out of date.

    Args:
        project: what is planned; every run has been exported.
        config: the configuration as Snakemake has it.
        config_files: where it was read from.
        results: the folder results/.
        made: a file of each group, sweep, table, figure and so on below `results`.
        pipeline: the folder of Caduceus's Snakefile.

    Raises:
        SpecError: a file lies outside the project's folder, or no file matches a pattern.
        ResultError: a file of an export is missing.
    """
    contents = Contents()
    contents.add("project/config.yaml", _config(config, config_files))
    for path in _project_files(project):
        contents.add(f"project/{_inside(path)}", path)
    for name, path in _pipeline_files(pipeline):
        contents.add(f"pipeline/{name}", path)
    for path in _measured(project, results):
        contents.add(RESULTS + path.relative_to(results).as_posix(), path)
    limit = project.config["archive"]["max_file_mb"] * 1_000_000
    for folder in _run_folders(project, results):
        for each in with_further_runs(RunFolder(folder)):
            _add_run(contents, each.path, results, limit)
    for path in sorted({file for first in made for file in _derived(first, results)}):
        contents.add(DERIVED + path.relative_to(results).as_posix(), path)
    contents.add("code/runs.csv", _table(("run", "code"), contents.code.items()))
    heads = ("file", "bytes", "sha256", "why")
    contents.add("left_out.csv", _table(heads, contents.left_out + contents.moved))
    return contents


def dataset_files(project: Project, results: Path) -> list[Path]:
    """The records of the datasets; where all runs were made elsewhere, none has been described."""
    files = (results / f"datasets/{dataset}/dataset.json" for dataset in project.datasets)
    return [path for path in files if path.is_file()]


def _config(config: Mapping[str, Any], files: Sequence[Path]) -> Path | bytes:
    """config.yaml as it is, or where something was put over it, what Snakemake then had."""
    if len(files) == 1 and _same(load(files[0]).value, config):
        return files[0]
    text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
    return f"# The configuration with what `--config` or another file put over it.\n{text}".encode()


def _same(value: Any, other: Any) -> bool:
    return canonical_json(as_number(value)) == canonical_json(as_number(other))


def _project_files(project: Project) -> Iterator[Path]:
    """What the user wrote, as far as the configuration leads there."""
    root = Path()
    config = project.config
    for pattern in _ABOUT_PROJECT:
        yield from sorted(path for path in root.glob(pattern) if path.is_file())
    if isinstance(config["paper"], str):
        yield root / config["paper"]
    yield from map(root.joinpath, config["custom_rules"])
    for experiment in project.experiments.values():
        spec = experiment.spec
        yield root / experiment.source.path
        yield from code_files(root / spec["program"], spec["code"], root)
        if experiment.sweep and isinstance(spec["sweep"]["config"], str):
            yield root / spec["sweep"]["config"]
        if "program" in (spec["dataset"] or {}):
            yield from program_files(root / spec["dataset"]["program"], root)
    for index, pattern in enumerate(config["archive"]["include"]):
        found = [path for path in sorted(root.glob(pattern)) if _is_visible(path)]
        if not found:
            raise SpecError(
                f"archive.include[{index}]: no visible file or folder matches {pattern!r}; "
                "patterns start at the folder you work in",
                "config.yaml",
            )
        for path in found:
            below = files_below(path) if path.is_dir() else [path]
            yield from filter(_is_visible, below)


def _inside(path: Path) -> str:
    """The path of a file from the project's folder."""
    name = Path(os.path.normpath(path))
    if name.is_absolute() or name.parts[0] == "..":
        raise SpecError(
            "is named by a path that leads out of the folder you work in; put it inside, and name "
            "it from there, so that an archive can hold it",
            str(path),
        )
    return name.as_posix()


def _is_visible(path: Path) -> bool:
    return not any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def _pipeline_files(pipeline: Path) -> Iterator[tuple[str, Path]]:
    """The files of Caduceus by their names in its repository, wherever its library lies."""
    if not (pipeline / "Snakefile").is_file():
        raise SpecError(
            "Caduceus's Snakefile isn't in a folder here; clone the repository and use that, so "
            "that an archive can hold it",
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
            if _is_visible(name):
                yield (f"scripts/{name}" if base == library else str(name)), path


def _measured(project: Project, results: Path) -> Iterator[Path]:
    """The files below results/ that aren't made from runs, other than the runs' own."""
    for name in project.experiments:
        yield results / f"experiments/{name}.json"
    yield from dataset_files(project, results)
    for sweep, experiment in project.sweeps.items():
        folder = results / "sweeps" / sweep
        yield from (folder / name for name in _SWEEP_FILES)
        trials = dict.fromkeys(run.trial for run in experiment.runs)
        yield from (folder / f"trials/{trial}.json" for trial in trials)
    for chosen in project.config["export"]["projects"]:
        yield results / "projects" / chosen["project"] / "runs.json"


def _run_folders(project: Project, results: Path) -> Iterator[Path]:
    yield from (results / "runs" / run for run in project.runs)
    for chosen in project.config["export"]["projects"]:
        folder = results / "projects" / chosen["project"]
        yield from (folder / "runs" / run for run in sorted(read_json(folder / "runs.json")))


def _add_run(contents: Contents, folder: Path, results: Path, limit: float) -> None:
    """Take in a run's export, its code apart, and without files above the limit."""
    where = RESULTS + folder.relative_to(results).as_posix()
    for name in _RUN_FILES:
        if (folder / name).is_file():
            contents.add(f"{where}/{name}", folder / name)
    manifest = read_json(folder / "manifest.json")["files"]
    code = _code_of(folder, manifest)
    version = ""
    if code:
        lines = "".join(f"{manifest[name]['sha256']}  {code[name]}\n" for name in sorted(code))
        contents.code[folder.name] = version = digest_text(lines)[:12]
    for name, known in manifest.items():
        path, digest = folder / name, known["sha256"]
        place, size = f"{where}/{name}", known["bytes"]
        if not path.is_file():
            if (folder / "work").is_dir():
                raise ResultError(
                    f"is missing; delete {folder / 'manifest.json'} to have the run exported again",
                    str(path),
                )
            why = "it wasn't in the archive that this project was unpacked from"
            contents.left_out.append((place, size, digest, why))
        elif name in code:
            target = f"code/{version}/{code[name]}"
            contents.add(target, path, digest)
            contents.moved.append((place, size, digest, f"it is {target}"))
        elif name.split("/")[0] in _MAY_BE_LARGE and size > limit:
            why = f"it is larger than {limit / 1e6:g} MB"
            contents.left_out.append((place, size, digest, why))
        else:
            contents.add(place, path, digest)
    contents.add(f"{where}/manifest.json", folder / "manifest.json")


def _code_of(folder: Path, manifest: Iterable[str]) -> dict[str, str]:
    """The exported files that are the run's code, each with its path in the project."""
    logged = read_json(folder / "run_summary.json")["artifacts"]
    places = tuple(f"artifacts/{each['name']}/" for each in logged if each["type"] == "code")
    files = (name for name in manifest if name.startswith(places))
    return {name: name.split("/", 2)[2] for name in files if (folder / name).is_file()}


def _derived(made: Path, results: Path) -> Iterator[Path]:
    """A file that was made from runs, and those that were made with it."""
    kind = made.relative_to(results).parts[0]
    if kind in ("groups", "projects", "sweeps"):
        for path in files_below(made.parent):
            name = path.relative_to(made.parent)
            is_own = kind != "sweeps" or name.parts[0] not in (*_SWEEP_FILES, "trials", "work")
            if is_own and _is_visible(name):
                yield path
    else:
        yield from (path for path in made.parent.iterdir() if path.stem == made.stem)


def _table(heads: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([heads, *sorted(rows)])
    return stream.getvalue().encode()
