"""The files of results/ that an archive contains: runs, and what was made from them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.io.files import digest_text, files_below, read_json, sha256
from caduceus.paper.archive.contents import Contents, is_visible
from caduceus.paper.ledger import removed_runs_file
from caduceus.project.project import Project
from caduceus.runs.attempts import active_s, read_attempts
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.export import Manifest, Summary
from caduceus.runs.files.train import Train
from caduceus.runs.files.tries import ledger_folders
from caduceus.runs.folder import RunFolder
from caduceus.runs.further import with_further_runs
from caduceus.runs.used_files import used_files

_RUN_FILES = (*("params.json", "run.json", "server.json", "upload.json", "outcome.json"),)
_LEDGER_FILES = ("params.json", "run.json", "run_summary.json")
_MAY_BE_LARGE = ("media", "artifacts", "files")
_TRY_FILES = (".json", ".csv", ".diff")  # of a ledger of tries
_SWEEP_FILES = ("sweep.json", "sweep.yaml")  # the rest of a sweep's files is derived


def add_runs(contents: Contents, project: Project, results: Path) -> None:
    """Add the exported runs, and the files that aren't made from runs.

    Args:
        contents: to add to.
        project: the loaded project, all of whose runs have been exported.
        results: the folder results/.

    Raises:
        ResultError: a file of an export is missing.
    """
    records = [*results.glob("verification.*"), *results.glob(removed_runs_file(results).name)]
    records += results.glob("shown/**/*.json")  # by which late seeds are known there too
    for path in [*_plans(project, results), *sorted(records)]:
        contents.add(f"project/{path}", path)
    folders = list(_run_folders(project, results))
    limit = project.settings.archive.max_file_mb * 1_000_000
    add_tries(contents, results, limit)
    for folder in folders:
        for each in with_further_runs(RunFolder(folder)):
            _add_run(contents, each.path, limit)
        if train := Train.read_if_there(folder / "train.json"):
            _add_used_files(contents, train, limit)
    others = {*results.glob("runs/*"), *results.glob("projects/*/*/runs/*")}.difference(folders)
    for folder in sorted(others):
        _add_unplanned(contents, RunFolder(folder))
    for name in read_json(results / "paper/provenance.json")["environments"].values():
        contents.add(f"project/{name}", Path(name))


def add_tries(contents: Contents, results: Path, limit: float) -> None:
    """Add the ledgers of tries, with all code that was tried, kept or not.

    Args:
        contents: to add to.
        results: the folder results/.
        limit: the size in bytes above which a file of code is left out.
    """
    for ledger in ledger_folders(results):
        for path in sorted(ledger.path.iterdir()):
            if path.suffix in _TRY_FILES:
                contents.add(f"project/{path}", path)
        for path in files_below(ledger.codes):
            if (size := path.stat().st_size) > limit:
                row = (
                    f"project/{path}",
                    size,
                    sha256(path),
                    f"it is larger than {limit / 1e6:g} MB",
                )
                contents.left_out.append(row)
            else:
                contents.add(f"project/{path}", path)


def dataset_files(project: Project, results: Path) -> list[Path]:
    """Return dataset.json of each dataset; there is none if all runs are remote."""
    files = (results / f"datasets/{dataset}/dataset.json" for dataset in project.datasets)
    return [path for path in files if path.is_file()]


def derived_files(made: Iterable[Path], results: Path) -> list[Path]:
    """Return the files that were made from runs: those in `made`, and others of the same jobs."""
    return sorted({path for first in made for path in _made_with(first, results)})


def _plans(project: Project, results: Path) -> Iterator[Path]:
    yield from (results / f"experiments/{name}.json" for name in project.experiments)
    yield from dataset_files(project, results)
    for sweep, experiment in project.sweeps.items():
        folder = results / "sweeps" / sweep
        yield from (folder / name for name in _SWEEP_FILES)
        trials = dict.fromkeys(run.trial for run in experiment.runs)
        yield from (folder / f"trials/{trial}.json" for trial in trials)
    for chosen in project.settings.export.projects:
        yield results / "projects" / chosen.project / "runs.json"


def _run_folders(project: Project, results: Path) -> Iterator[Path]:
    yield from (results / "runs" / run for run in project.runs)
    for chosen in project.settings.export.projects:
        folder = results / "projects" / chosen.project
        yield from (folder / "runs" / run for run in sorted(read_json(folder / "runs.json")))


def _add_run(contents: Contents, folder: Path, limit: float) -> None:
    """Add a run's export, its code under code/, without media and artifacts above the limit."""
    for name in _RUN_FILES:
        if (folder / name).is_file():
            contents.add(f"project/{folder / name}", folder / name)
    _add_train(contents, RunFolder(folder))
    manifest = Manifest.read(folder / "manifest.json").files
    code = _code_of(folder, manifest)
    version = ""
    if code:
        lines = "".join(f"{manifest[name].sha256}  {code[name]}\n" for name in sorted(code))
        contents.code[folder.name] = version = digest_text(lines)[:12]
    for name, known in manifest.items():
        path, digest, size = folder / name, known.sha256, known.bytes
        place = f"project/{path}"
        if not path.is_file():
            if (folder / "work").is_dir():
                raise ResultError(
                    f"is missing; delete {folder / 'manifest.json'} to export the run again",
                    str(path),
                )
            why = "it wasn't in the archive that this project was unpacked from"
            contents.left_out.append((place, size, digest, why))
        elif name in code:
            target = f"code/{version}/{code[name]}"
            contents.add(target, path, digest)
            contents.moved.append((place, size, digest, f"it is stored as {target}"))
        elif name.split("/")[0] in _MAY_BE_LARGE and size > limit:
            why = f"it is larger than {limit / 1e6:g} MB"
            contents.left_out.append((place, size, digest, why))
        else:
            contents.add(place, path, digest)
    contents.add(f"project/{folder / 'manifest.json'}", folder / "manifest.json")


def _add_used_files(contents: Contents, train: Train, limit: float) -> None:
    """Add the project's files that a run used beyond its code, if they are what they were then."""
    for name, used in used_files(train.attempts):
        path, place = Path(name), f"project/{name}"
        if not path.is_file():
            why = "a run used it, and it is gone"
        elif used.sha256 is None or sha256(path) != used.sha256:
            why = "it has changed since a run used it"
        elif used.size > limit:
            why = f"it is larger than {limit / 1e6:g} MB"
        else:
            contents.add(place, path, used.sha256)
            continue
        row = (place, used.size, used.sha256 or "", why)
        if row not in contents.left_out:
            contents.left_out.append(row)


def _code_of(folder: Path, manifest: Iterable[str]) -> dict[str, str]:
    """Return the exported files that are the run's code, each with its path in the project."""
    logged = Summary.read(folder / "run_summary.json").artifacts
    places = tuple(f"artifacts/{each.name}/" for each in logged if each.type == "code")
    files = (name for name in manifest if name.startswith(places))
    return {name: name.split("/", 2)[2] for name in files if (folder / name).is_file()}


def _add_unplanned(contents: Contents, folder: RunFolder) -> None:
    """Add the files that the ledger reads of a run that no experiment plans any more."""
    for name in _LEDGER_FILES:
        if (folder.path / name).is_file():
            contents.add(f"project/{folder.path / name}", folder.path / name)
    if _add_train(contents, folder):
        return
    for attempt in read_attempts(folder.attempts):
        # It was killed; the archive lacks the files whose times say when.
        if attempt.state == "running":
            attempt = replace(attempt, wall_s=round(active_s(folder, attempt), 3))
        path = folder.attempts / f"{attempt.number}.json"
        contents.add(f"project/{path}", _json(_portable(attempt).to_json()))


def _add_train(contents: Contents, folder: RunFolder) -> bool:
    """Add train.json, if the run has one; return whether it has."""
    path = folder.train_json
    if (train := Train.read_if_there(path)) is None:
        return False
    attempts = tuple(map(_portable, train.attempts))
    is_same = attempts == train.attempts
    content = path if is_same else _json(replace(train, attempts=attempts).to_json())
    contents.add(f"project/{path}", content)
    return True


def _portable(attempt: Attempt) -> Attempt:
    return replace(attempt, usage=attempt.usage and attempt.usage.without_places())


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _made_with(made: Path, results: Path) -> Iterator[Path]:
    """Yield the files that the same job made."""
    kind = made.relative_to(results).parts[0]
    if kind in ("groups", "projects", "sweeps"):
        for path in files_below(made.parent):
            name = path.relative_to(made.parent)
            is_own = kind != "sweeps" or name.parts[0] not in (*_SWEEP_FILES, "trials", "work")
            if is_own and is_visible(name):
                yield path
    else:
        yield from (path for path in made.parent.iterdir() if path.stem == made.stem)
