"""Where every number of the paper comes from: runs, metric, code, packages, command."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.io.files import read_if_there, read_json, sha256
from caduceus.paper.labels import parameter_text
from caduceus.runs.files.export import Summary
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import packages_file

Metrics = Mapping[str, Mapping[str, Any]]  # of tables/NAME and claims/NAME, by heading or name


def trace_items(items: Sequence[Path], metrics: Metrics, results: Path) -> dict[str, Any]:
    """The content of provenance.json.

    Args:
        items: tables/NAME.json, figures/NAME.json and claims.json below results/paper.
        metrics: the metrics of each table by heading, and of each claim, as `paper` says them.
        results: the folder results/.

    Returns:
        `items` by tables/NAME, figures/NAME and claims/NAME, each with `command` (rebuilds it),
        `inputs` (sha256 of the experiments' plans; the manifests of its runs are the others), and
        `runs`, or `cells` by "LABELS | HEADING", of which each has `value`, `metric` and `runs`;
        `runs` by id, see `describe_run`; and `environments`: by digest, a file that lists the
        packages.
    """
    found = {name: item for path in items for name, item in _read(path, metrics)}
    runs: dict[str, dict[str, Any]] = {}
    environments: dict[str, str] = {}
    for item in found.values():
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
    return {"items": found, "runs": dict(sorted(runs.items())), "environments": environments}


def describe_run(folder: RunFolder) -> dict[str, Any]:
    """What a run was made of.

    Returns:
        `experiment`, `name`, `state`, `attempt` (the last one), `manifest` (its sha256, null if it
        isn't exported), `code` (its digest), `commit`, `is_dirty` and `environment` (the digest of
        the packages) of the last attempt, each null if it isn't known, as of a run that was made
        elsewhere.
    """
    path = folder.path
    manifest, train = path / "manifest.json", read_if_there(path / "train.json")
    summary = Summary.read_if_there(folder.summary_json)
    params = Params.read_if_there(folder.params_json)
    # A run of a W&B project has no run.json.
    about = Identity.read_if_there(folder.run_json) or summary
    last = train["attempts"][-1] if train and train["attempts"] else {}
    return {
        "experiment": about and about.experiment,
        "name": about and about.name,
        "state": train.get("state") or (summary and summary.state),
        "attempt": last.get("attempt"),
        "manifest": sha256(manifest) if manifest.exists() else None,
        "code": params and params.code,
        # W&B notes a commit too, but not whether the tree was that commit's.
        "commit": last.get("commit") or (summary and summary.git.commit) or None,
        "is_dirty": last.get("is_dirty"),
        "environment": last.get("environment"),
    }


def rebuilding(*paths: Path) -> str:
    """The command that makes files anew."""
    return f"snakemake --cores 1 --force {' '.join(map(str, paths))}"


def cell_name(labels: Sequence[Any], heading: str) -> str:
    """What a cell of a table is called."""
    return f"{', '.join(map(parameter_text, labels))} | {heading}"


def _read(path: Path, metrics: Metrics) -> Iterator[tuple[str, dict[str, Any]]]:
    """The items that a file describes, by their names."""
    content = read_json(path)
    if path.parent.name == "figures":
        command = rebuilding(path, path.with_suffix(".pdf"))
        yield f"figures/{path.stem}", {"command": command, "runs": content["runs"]}
    elif path.parent.name == "tables":
        command, name = rebuilding(path), f"tables/{path.stem}"
        cells = {
            cell_name(row["labels"], heading): {
                "value": cell["value"],
                "metric": metrics[name][heading],
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
            yield name, {"command": rebuilding(path), **about}


def _parts(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """An item, or its cells: what has runs."""
    return [*item["cells"].values()] if "cells" in item else [item]
