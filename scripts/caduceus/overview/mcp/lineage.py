"""The tools that return artifacts, and where results come from."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from caduceus.errors import CaduceusError, ResultError
from caduceus.io.files import read_json, sha256
from caduceus.io.names import is_safe_path
from caduceus.io.phrases import pasted
from caduceus.io.validation import suggestion
from caduceus.overview.mcp.answers import Answer, page
from caduceus.project.listed_runs import ListedRun, find_run, find_runs
from caduceus.runs.files.export import ExportedArtifact
from caduceus.runs.files.params import Params

_SECTIONS = ("tables/", "figures/", "claims/")
_ATTEMPT = ("attempt", "state", "error", "started_at", "host", "wall_s", "resumed_from")
_MADE_OF = ("code", "commit", "is_dirty", "environment", "manifest")


def artifacts(
    results: Path, run: str, name: str | None = None, offset: int = 0, limit: int = 50
) -> Answer:
    """Return the artifacts that a run logged and used, with W&B's digests; or the files of one.

    Args:
        run: its id.
        name: one artifact, to list its files with bytes and md5 (base64).
        offset: how many to skip.
        limit: how many at most.
    """
    summary = _exported(find_run(results, run)).summary
    found = {
        artifact.name: (artifact, is_used)
        for artifacts, is_used in ((summary.used_artifacts, True), (summary.artifacts, False))
        for artifact in artifacts
    }
    if name is None:
        rows = [_artifact(*artifact) for artifact in found.values()]
        return {"run": run} | page("artifacts", rows, offset, limit)
    if name not in found:
        raise CaduceusError(
            f"run {run} has no artifact {pasted(name)}{suggestion(name, found)}; it has "
            f"{', '.join(found) or 'none'}"
        )
    files = [{"file": file, **about.to_json()} for file, about in found[name][0].files.items()]
    return (
        _artifact(*found[name])
        | {"metadata": found[name][0].metadata, "description": found[name][0].description}
        | page("files", files, offset, limit)
    )


def lineage(results: Path, of: str, offset: int = 0, limit: int = 20) -> Answer:
    """Return where a result comes from: a run's definition, or the runs behind a number or file.

    Args:
        of: the id of a run; tables/NAME, figures/NAME or claims/NAME; or a file below results/.
        offset: how many runs or cells to skip.
        limit: how many at most.

    Returns:
        For a run: program, parameters, seed, dataset and code (its digest), git commit and whether
        the tree was dirty, digests of packages and export, attempts, and shown_in, the paper's
        items that it is in. For an item of the paper: the command that makes it again, inputs, and
        cells or runs with is_current, whether the run's export is still the one used. For a file:
        its digest, the job that made it with its command and inputs, and the run that it belongs
        to or the runs behind it, as `caduceus why --json` has them.
    """
    record = {found.run: found for found in find_runs(results)}.get(of)
    path = results / "paper/provenance.json"
    provenance = read_json(path) if path.exists() else {"items": {}, "runs": {}}
    if record is not None:
        return _run(record, provenance)
    if of in provenance["items"]:
        return {"of": of} | _item(of, provenance, results, offset, limit)
    _check_below(of, results)
    if of.startswith(_SECTIONS) and not (results / "paper" / of).exists():
        known = list(provenance["items"])
        raise ResultError(
            f"there is no {of}{suggestion(of, known)}; there are {', '.join(known) or 'none'}"
        )
    from caduceus.overview.origins import find_origins  # takes what a run needs none of

    found = [asdict(origin) for origin in find_origins([of], results)]
    if len(found) != 1:
        return {"of": of} | page("files", found, offset, limit)
    [origin] = found
    return {"of": of, **origin} | page("runs", origin["runs"], offset, limit)


def _check_below(name: str, results: Path) -> None:
    """Refuse a path that leads out of results/, also through a link, without listing names there.

    Raises:
        ResultError: the path leads out.
    """
    inside = results.resolve()
    places = ((place / name).resolve() for place in (Path(), results, results / "paper"))
    if not is_safe_path(Path(name).as_posix()) or not all(
        path.is_relative_to(inside) for path in places if path.exists()
    ):
        raise ResultError("isn't below results/; name a run, tables/NAME, or a file there", name)


def _exported(record: ListedRun) -> ListedRun:
    if record.exported is None:
        raise CaduceusError(f"run {record.run} isn't exported yet: it is {record.state}")
    return record


def _artifact(artifact: ExportedArtifact, is_used: bool) -> Answer:
    return {
        "name": artifact.name,
        "type": artifact.type,
        "digest": artifact.digest,
        "is_used": is_used,
        "aliases": list(artifact.aliases),
        "files": len(artifact.files),
        "bytes": sum(file.bytes for file in artifact.files.values()),
    }


def _run(record: ListedRun, provenance: Mapping[str, Any]) -> Answer:
    from caduceus.paper.provenance import describe_run

    about = describe_run(record.folder)
    params = Params.read_if_there(record.folder.params_json)
    summary = record.summary
    return {
        "run": record.run,
        "name": summary.name,
        "state": record.state,
        "kind": record.kind,
        "definition": {
            name: getattr(params, name, None)
            for name in ("program", "parameters", "seed", "dataset")
        },
        **{name: about[name] for name in _MADE_OF},
        "attempts": [
            {name: getattr(attempt, name) for name in _ATTEMPT}
            for attempt in (record.train.attempts if record.train else ())[-10:]
        ],
        "uses": [_artifact(artifact, True) for artifact in summary.used_artifacts],
        "logged": [artifact.name for artifact in summary.artifacts],
        "shown_in": [
            name for name, item in provenance["items"].items() if record.run in _runs_of(item)
        ],
    }


def _item(
    name: str, provenance: Mapping[str, Any], results: Path, offset: int, limit: int
) -> Answer:
    item = provenance["items"][name]
    about = {key: item[key] for key in ("command", "inputs", "verdict") if key in item}
    if "cells" in item:
        cells = [
            {"cell": cell, "value": found["value"], "n": len(found["runs"]), "runs": found["runs"]}
            for cell, found in item["cells"].items()
        ]
        about["is_current"] = all(_is_current(run, provenance, results) for run in _runs_of(item))
        return about | page("cells", cells, offset, limit)
    runs = [
        {"run": run, "is_current": _is_current(run, provenance, results)}
        | {key: provenance["runs"][run][key] for key in ("name", "state", "commit", "is_dirty")}
        for run in item["runs"]
    ]
    return about | page("runs", runs, offset, limit)


def _runs_of(item: Mapping[str, Any]) -> list[str]:
    parts = item["cells"].values() if "cells" in item else [item]
    return list(dict.fromkeys(run for part in parts for run in part["runs"]))


def _is_current(run: str, provenance: Mapping[str, Any], results: Path) -> bool:
    """Whether a run's export is still the one that was used."""
    manifest = results / "runs" / run / "manifest.json"
    return manifest.exists() and sha256(manifest) == provenance["runs"][run]["manifest"]
