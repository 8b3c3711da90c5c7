"""The provenance of every number of the paper: runs, metric, code, packages, command."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.io.files import read_json, sha256
from caduceus.paper.labels import parameter_text
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import packages_file
from caduceus.runs.record import RunRecord
from caduceus.runs.used_files import used_files

_NOTED = ("changed_parameters", "dropped_rows")  # keys of a manifest
NO_PROVENANCE: dict[str, Any] = {"items": {}, "runs": {}, "environments": {}}
Metrics = Mapping[str, Mapping[str, Any]]  # by tables/NAME or claims/NAME, then by heading or name


def trace_items(items: Sequence[Path], metrics: Metrics, results: Path) -> dict[str, Any]:
    """Return the content of provenance.json.

    Args:
        items: tables/NAME.json, figures/NAME.json and claims.json below results/paper.
        metrics: the metrics of each table by heading, and of each claim, as written in `paper`.
        results: the folder results/.

    Returns:
        `items` by tables/NAME, figures/NAME and claims/NAME; `runs` by id, see `describe_run`; and
        `environments`: a file that lists the packages, by digest. An item has the `command` that
        rebuilds it, `inputs` (sha256 of the experiments' plans; its other inputs are the manifests
        of its runs), and either `runs` or `cells` by "LABELS | HEADING", each with `value`,
        `metric` and `runs`.
    """
    traced = {name: item for path in items for name, item in _read(path, metrics)}
    runs: dict[str, dict[str, Any]] = {}
    environments: dict[str, str] = {}
    for item in traced.values():
        ids = dict.fromkeys(run for part in _parts(item) for run in part["runs"])
        for run in ids:
            if run not in runs:
                folder = RunFolder(results / "runs" / run)
                runs[run] = describe_run(folder)
                environment = runs[run]["environment"]
                listed = environment and packages_file(folder, runs[run]["attempt"])
                if listed:
                    environments.setdefault(environment, str(listed))
        experiments = dict.fromkeys(runs[run]["experiment"] for run in ids)
        plans = [results / "experiments" / f"{experiment}.json" for experiment in experiments]
        item["inputs"] = {str(plan): sha256(plan) for plan in plans if plan.exists()}
    return {"items": traced, "runs": dict(sorted(runs.items())), "environments": environments}


def describe_run(folder: RunFolder) -> dict[str, Any]:
    """Return the provenance of a run.

    Returns:
        `experiment`, `name`, `state`, `attempt` (the number of the last one), `manifest` (its
        sha256, None if the run isn't exported), `code` (its digest), and of the last attempt
        `commit`, `is_dirty` and `environment` (the digest of the packages). Each is None if it
        isn't known, as for remote runs. `changed_parameters` and `dropped_rows` are those of the
        manifest, where it has them; `beyond_code` lists the project's files that the run used
        beyond its code, where it did; `program_environment` is the environment that its experiment
        names, where it names one.
    """
    record = RunRecord(folder)
    summary, train = record.exported, record.train
    last = train.attempts[-1] if train and train.attempts else None
    # A run of a W&B project has no run.json.
    about = Identity.read_if_there(folder.run_json) or summary
    params = Params.read_if_there(folder.params_json)
    exported = record.manifest.to_json() if record.manifest else {}
    named = last and last.program_environment
    beyond = sorted({name for name, _ in used_files(train.attempts)}) if train else []
    return {
        "experiment": about and about.experiment,
        "name": about and about.name,
        "state": train.state if train else summary and summary.state,
        "attempt": last and last.attempt,
        "manifest": sha256(folder.manifest_json) if folder.manifest_json.exists() else None,
        "code": params and params.ran_code,
        # W&B records a commit too, but not whether there were uncommitted changes.
        "commit": (last and last.commit) or (summary and summary.git.commit) or None,
        "is_dirty": last and last.is_dirty,
        "environment": last and last.environment,
        **{name: exported[name] for name in _NOTED if name in exported},
        **({"beyond_code": beyond} if beyond else {}),
        **({"program_environment": named.to_json()} if named else {}),
    }


def rebuild_command(*paths: Path) -> str:
    """Return the command that rebuilds files."""
    return f"snakemake --cores 1 --force {' '.join(map(str, paths))}"


def cell_name(labels: Sequence[Any], heading: str) -> str:
    """Return the name of a table's cell, "LABELS | HEADING"."""
    return f"{', '.join(map(parameter_text, labels))} | {heading}"


def _read(path: Path, metrics: Metrics) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the items of a file, each with its name."""
    content = read_json(path)
    if path.parent.name == "figures":
        command = rebuild_command(path, path.with_suffix(".pdf"))
        yield f"figures/{path.stem}", {"command": command, "runs": content["runs"]}
    elif path.parent.name == "tables":
        command, name = rebuild_command(path), f"tables/{path.stem}"
        cells = {
            cell_name(row["labels"], heading): {
                "value": cell["value"],
                "metric": metrics[name][content.get("metrics", {}).get(heading, heading)],
                "runs": cell["runs"],
            }
            for row in content["rows"]
            for heading, cell in row["cells"].items()
        }
        yield name, {"command": command, "cells": cells}
    else:
        for claim in content["claims"]:
            name = f"claims/{claim['name']}"
            [metric] = metrics[name].values()
            about = {"verdict": claim["verdict"], "metric": metric, "runs": claim["runs"]}
            yield name, {"command": rebuild_command(path), **about}


def _parts(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the parts of an item that have `runs`: its cells, or the item itself."""
    return [*item["cells"].values()] if "cells" in item else [item]
