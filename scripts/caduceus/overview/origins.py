"""Find where a result comes from: the records behind `caduceus why`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.io.files import Json, read_json, sha256
from caduceus.io.validation import suggestion
from caduceus.overview.changed_files import change_phrase
from caduceus.overview.origin_records import (
    AttemptOrigin,
    Definition,
    FileOrigin,
    Input,
    ItemOrigin,
    JobOrigin,
    Part,
    RunDetails,
    RunOrigin,
)
from caduceus.paper.provenance import describe_run, rebuild_command
from caduceus.paper.results import Result, with_axis
from caduceus.runs.files.export import Manifest
from caduceus.runs.files.params import Params
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.runs.metric import Metric
from caduceus.runs.record import RunRecord
from caduceus.runs.used_files import changes_since, used_files
from caduceus.system.snakemake_records import JobRecord, find_record

_SECTIONS = ("tables", "figures", "claims")


def find_origins(words: Sequence[str], results: Path) -> Iterator[ItemOrigin | FileOrigin]:
    """Yield where a result comes from; several items only if all claims are asked for.

    Args:
        words: a file or folder below `results`, or tables/NAME, figures/NAME or claims/NAME; for a
            table also labels and a heading, which select cells.
        results: the folder results/.

    Raises:
        ResultError: there is no such result.
    """
    name, *about = words
    record = results / "paper/provenance.json"
    provenance = read_json(record) if record.exists() else {"items": {}}
    path = _existing(name, results)
    items = _items(name if path is None else path.as_posix(), provenance["items"])
    if items:
        for item in items:
            yield _of_item(item, provenance, about, results)
    elif path is None:
        raise ResultError(_no_such(name, provenance["items"], results), name)
    else:
        yield _of_file(path, results)


def _existing(name: str, results: Path) -> Path | None:
    """Return the file or folder that a name means: a path, one below results/, or a run's id.

    If there is none, try the name with an ending, as `caduceus plan` prints names without.
    """
    places = (Path(), results, results / "paper", results / "runs")
    for ending in ("", ".json", ".md"):
        for place in places:
            path = place / f"{name}{ending}"
            if path.exists() and path.resolve().is_relative_to(results.resolve()):
                return path
    return None


def _items(name: str, items: Mapping[str, Any]) -> list[str]:
    """Return the items of provenance.json that a name or path means: one, or all claims."""
    parts = Path(name).parts
    if parts[-1].startswith("claims.") or name in ("claims", "claims/"):
        return [item for item in items if item.startswith("claims/")]
    key = "/".join(parts[-2:])
    stem = "/".join((*parts[-2:-1], Path(name).stem))
    return [item for item in dict.fromkeys((key, stem)) if item in items][:1]


def _no_such(name: str, items: Mapping[str, Any], results: Path) -> str:
    """Return a message with the names most similar to the part of a path that doesn't exist."""
    if Path(name).exists():
        return f"isn't below {results}; name a file that was made"
    section = name.partition("/")[0]
    if section in _SECTIONS:
        known = [item for item in items if item.startswith(f"{section}/")]
        there = f"there are {', '.join(known)}" if known else "none is recorded"
        return f"no such result{suggestion(name, known) or '.'} In provenance.json {there}"
    place = Path() if section == results.name else results
    for part in Path(name).parts:
        if not (place / part).exists():
            close = suggestion(part, [path.name for path in place.glob("*")])
            return (
                f"no such result: {place} has no {part}{close or '; name a file, or tables/NAME'}"
            )
        place /= part
    return "no such result"


def _of_item(
    name: str, provenance: Mapping[str, Any], about: Sequence[str], results: Path
) -> ItemOrigin:
    item = provenance["items"][name]
    if "cells" in item:
        parts = [
            _part(content, cell, provenance, results)
            for cell, content in _cells(name, item["cells"], about).items()
        ]
    else:
        parts = [_part(item, None, provenance, results)]
    inputs = [
        Input(path, digest, not Path(path).exists() or sha256(Path(path)) != digest)
        for path, digest in item["inputs"].items()
    ]
    return ItemOrigin(name, item["command"], inputs, parts)


def _part(
    content: Mapping[str, Any], cell: str | None, provenance: Mapping[str, Any], results: Path
) -> Part:
    known = {run: provenance["runs"][run] for run in content["runs"]}
    metric, runs = _runs(known, content.get("metric"), results)
    replaced, changed = [], {}
    for run, about in known.items():
        manifest = results / "runs" / run / "manifest.json"
        if not manifest.exists() or sha256(manifest) != about["manifest"]:
            replaced.append(run)
        train = Train.read_if_there(results / "runs" / run / "train.json")
        if train and (phrase := change_phrase(changes_since(train.attempts))):
            changed[run] = phrase
    value, verdict = content.get("value"), content.get("verdict")
    return Part(cell, value, verdict, metric, runs, replaced, changed)


def _cells(name: str, cells: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """Return the cells whose labels and heading match all words; whole words before parts."""

    def whole(cell: str) -> list[str]:
        labels, _, heading = cell.rpartition(" | ")
        return [cell, heading, labels, *labels.split(", ")]

    names = [cell for cell in cells if all(word in whole(cell) for word in words)]
    names = names or [cell for cell in cells if all(w.lower() in cell.lower() for w in words)]
    if names:
        return {cell: cells[cell] for cell in names}
    known = list(dict.fromkeys(part for cell in cells for part in whole(cell)[1:]))
    wrong = next((word for word in words if word not in known), words[0])
    raise ResultError(
        f"no cell has {' and '.join(words)}{suggestion(wrong, known)}; there are "
        f"{'; '.join(cells)}",
        name,
    )


def _of_file(path: Path, results: Path) -> FileOrigin:
    folder = _run_of(path)
    record = find_record(path)
    if record is None and folder is not None:  # Snakemake knows no file that a program left
        record = find_record(folder / "train.json")
    runs: Sequence[RunOrigin] = ()
    if folder is None and record is not None:
        behind = {run.name: describe_run(RunFolder(run)) for run in _runs_behind(record)}
        _, runs = _runs(behind, None, results)
    return FileOrigin(
        str(path),
        sha256(path) if path.is_file() else None,
        None if record is None else _job(record, folder),
        None if folder is None else _details(folder, path),
        runs,
    )


def _job(record: JobRecord, folder: Path | None) -> JobOrigin:
    """Return a job, without the inputs that are files of runs if these are listed."""
    inputs = [name for name in record.inputs if folder is not None or _run_of(Path(name)) is None]
    ended = f"{record.ended:%Y-%m-%d %H:%M} UTC"
    return JobOrigin(record.rule, ended, rebuild_command(Path(record.made)), record.command, inputs)


def _run_of(path: Path) -> Path | None:
    """Return the folder of the run that a file belongs to, if any."""
    inside = [*path.parents[::-1], path]
    return next((folder for folder in inside if folder.parent.name == "runs"), None)


def _runs_behind(record: JobRecord) -> list[Path]:
    """Return the folders of the runs behind a job's inputs, directly or through other jobs."""
    runs: dict[Path, None] = {}
    seen: set[str] = set()
    waiting = [record]
    while waiting:
        for name in waiting.pop().inputs:
            run = _run_of(Path(name))
            if run is not None:
                runs[record.root / run] = None
            elif name not in seen:
                seen.add(name)
                before = find_record(record.root / name)
                waiting += [before] if before else []
    return list(runs)


def _details(folder: Path, path: Path) -> RunDetails:
    """Return a run's definition and attempts, and whether the file is unchanged since."""
    about = describe_run(RunFolder(folder))
    known = {folder / name: digest for name, digest in _digests(folder)}
    params = Params.read_if_there(folder / "params.json")
    train = Train.read_if_there(folder / "train.json")
    attempts = train.attempts if train else ()
    return RunDetails(
        run=folder.name,
        name=about["name"],
        state=about["state"],
        is_unchanged=known[path] == sha256(path) if path.is_file() and path in known else None,
        definition=None
        if params is None
        else Definition(
            *(params.program, params.code, params.parameters, params.seed, params.dataset),
            params.adopted,
        ),
        attempts=[
            AttemptOrigin(
                *(each.attempt, each.state, each.host, each.started_at, each.wall_s),
                *(each.commit, each.is_dirty, each.environment),
            )
            for each in attempts
        ],
        used=sorted({name for name, _ in used_files(attempts)}),
        changed=change_phrase(changes_since(attempts)) if train else "",
    )


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the path in the run's folder and the sha256 of each file that it exported or left."""
    if manifest := Manifest.read_if_there(folder / "manifest.json"):
        for name, exported in manifest.files.items():
            yield name, exported.sha256
    if train := Train.read_if_there(folder / "train.json"):
        for name, left in train.output.items():
            yield f"output/{name}", left.sha256


def _runs(
    runs: Mapping[str, Mapping[str, Any]], metric: Json, results: Path
) -> tuple[str | None, list[RunOrigin]]:
    """Return a metric in words, and the runs with their values of it."""
    found = {run: Result(RunRecord(RunFolder(results / "runs" / run)), {}) for run in runs}
    exported = [each for each in found.values() if each.record.exported is not None]
    wanted = None if metric is None else Metric.of(metric)
    words = None if wanted is None else with_axis(wanted, exported).words
    origins = [
        RunOrigin(
            run,
            *(about["state"], about["commit"], about["is_dirty"]),
            *(about["environment"], about["manifest"]),
            value=_value(found[run], wanted),
            is_exported=found[run].record.exported is not None,
        )
        for run, about in runs.items()
    ]
    return words, origins


def _value(result: Result, metric: Metric | None) -> float | None:
    return None if metric is None or result.record.exported is None else result.value(metric)
