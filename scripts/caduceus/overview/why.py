"""Where a result comes from: `caduceus why`, for the paper's items and any file of results/."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.io.files import Json, canonical_json, read_json, sha256
from caduceus.io.phrases import listed
from caduceus.io.validation import suggestion
from caduceus.overview.changed_files import change_phrase
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

_SHORT = 12  # digits of a digest
_SECTIONS = ("tables", "figures", "claims")


def explain(words: Sequence[str], results: Path) -> Iterator[str]:
    """Yield what is known of a result, line by line.

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
            yield from _explain_item(item, provenance, about, results)
    elif path is None:
        raise ResultError(_no_such(name, provenance["items"], results), name)
    else:
        yield from _explain_file(path, results)


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
        return f"no such result{suggestion(name, known)} In provenance.json {there}"
    place = Path() if section == results.name else results
    for part in Path(name).parts:
        if not (place / part).exists():
            close = suggestion(part, [path.name for path in place.iterdir()])
            return (
                f"no such result: {place} has no {part}{close or '; name a file, or tables/NAME'}"
            )
        place /= part
    return "no such result"


def _explain_item(
    name: str, provenance: Mapping[str, Any], about: Sequence[str], results: Path
) -> Iterator[str]:
    item = provenance["items"][name]
    cells = _cells(name, item["cells"], about) if "cells" in item else {"": item}
    yield name
    yield f"  command  {item['command']}"
    for path, digest in item["inputs"].items():
        now = "" if Path(path).exists() and sha256(Path(path)) == digest else ", which has changed"
        yield f"  input    {path} {digest[:_SHORT]}{now}, and the manifests of the runs"
    for cell, content in cells.items():
        yield ""
        if cell:
            yield f"{cell}: {content['value']:.6g}, of {len(content['runs'])} runs"
        elif "verdict" in content:
            yield f"{content['verdict']}, by {len(content['runs'])} runs"
        runs = {run: provenance["runs"][run] for run in content["runs"]}
        yield from _run_table(runs, content.get("metric"), results)
        for run, about_run in runs.items():
            manifest = results / "runs" / run / "manifest.json"
            if not manifest.exists() or sha256(manifest) != about_run["manifest"]:
                yield f"  {run} has changed since, or is gone: make the paper again"
            train = Train.read_if_there(results / "runs" / run / "train.json")
            if train and (phrase := change_phrase(changes_since(train.attempts))):
                yield f"  {run}: {phrase}"


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


def _explain_file(path: Path, results: Path) -> Iterator[str]:
    folder = _run_of(path)
    record = find_record(path)
    if record is None and folder is not None:  # Snakemake knows no file that a program left
        record = find_record(folder / "train.json")
    yield str(path)
    if path.is_file():
        yield f"  sha256   {sha256(path)}"
    if record is None:
        yield "  not recorded by Snakemake: no job made it, or it was made on another machine"
    else:
        yield f"  made by  {record.rule}, {record.ended:%Y-%m-%d %H:%M} UTC"
        yield f"  command  {rebuild_command(Path(record.made))}"
        yield f"  ran      {record.command}"
        for name in record.inputs:
            if folder is not None or _run_of(Path(name)) is None:  # runs are listed below
                yield f"  input    {name}"
    if folder is not None:
        yield from _explain_run(folder, path)
    elif record is not None and (folders := _runs_behind(record)):
        yield ""
        yield f"runs behind it: {len(folders)}"
        runs = {run.name: describe_run(RunFolder(run)) for run in folders}
        yield from _run_table(runs, None, results)


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


def _explain_run(folder: Path, path: Path) -> Iterator[str]:
    """Yield a run's definition and attempts, and whether the file is unchanged since."""
    about = describe_run(RunFolder(folder))
    yield ""
    yield f"run {folder.name}: {about['name']}, {about['state'] or 'not finished'}"
    known = {folder / name: digest for name, digest in _digests(folder)}
    if path.is_file() and path in known:
        is_same = known[path] == sha256(path)
        yield f"  the file is {'un' if is_same else ''}changed since it was made"
    if params := Params.read_if_there(folder / "params.json"):
        yield f"  program  {params.program}, code {params.code[:_SHORT]}"
        for name in ("parameters", "seed", "dataset"):
            yield f"  {name:8} {canonical_json(getattr(params, name))}"
    train = Train.read_if_there(folder / "train.json")
    for attempt in train.attempts if train else ():
        yield (
            f"  attempt {attempt.attempt}: {attempt.state} on {attempt.host}, "
            f"{(attempt.started_at or '')[:16]}, {attempt.wall_s:.1f} s, "
            f"commit {_commit(vars(attempt))}, packages {_short(attempt.environment)}"
        )
    if train:
        used = sorted({name for name, _ in used_files(train.attempts)})
        if used:
            yield f"  used beyond its code: {listed(used, 10)}"
        if phrase := change_phrase(changes_since(train.attempts)):
            yield f"  {phrase}"


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the path in the run's folder and the sha256 of each file that it exported or left."""
    if manifest := Manifest.read_if_there(folder / "manifest.json"):
        for name, exported in manifest.files.items():
            yield name, exported.sha256
    if train := Train.read_if_there(folder / "train.json"):
        for name, left in train.output.items():
            yield f"output/{name}", left.sha256


def _run_table(runs: Mapping[str, Mapping[str, Any]], metric: Json, results: Path) -> Iterator[str]:
    """Yield a line for each run, with its value of the metric if one is given."""
    if not runs:
        return
    header = ["run", "state", "commit", "packages", "manifest"]
    rows = [
        [
            run,
            about["state"] or "–",
            _commit(about),
            *map(_short, (about["environment"], about["manifest"])),
        ]
        for run, about in runs.items()
    ]
    if metric is not None:
        wanted = Metric.of(metric)
        found = [Result(RunRecord(RunFolder(results / "runs" / run)), {}) for run in runs]
        exported = [each for each in found if each.record.exported is not None]
        header.insert(1, with_axis(wanted, exported).words)
        for row, result in zip(rows, found, strict=True):
            row.insert(1, _value(result, wanted))
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for line in [header, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield f"  {'  '.join(cells).rstrip()}"


def _value(result: Result, metric: Metric) -> str:
    if result.record.exported is None:
        return "deleted"
    value = result.value(metric)
    return "–" if value is None else f"{value:.6g}"


def _commit(about: Mapping[str, Any]) -> str:
    if not about.get("commit"):
        return "–"
    tree = {True: " (dirty)", False: " (clean)", None: ""}[about.get("is_dirty")]
    return f"{about['commit'][:_SHORT]}{tree}"


def _short(digest: str | None) -> str:
    return digest[:_SHORT] if digest else "–"
