"""All that a report shows, read from results/."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.io.files import read_json
from caduceus.paper.report.groups import Group, all_runs, find_variants, read_groups
from caduceus.paper.report.packed_curves import pack_curves
from caduceus.paper.report.sections import (
    claim_section,
    experiment_section,
    figure_section,
    sweep_section,
)
from caduceus.statistics.estimates import estimate

_ABOUT_RUN = ("run", "name", "group", "experiment", "variant", "seed", "state", "error")
_ABOUT_HOST = ("git_commit", "host", "started_at", "runtime_s")


@dataclass(frozen=True)
class Sources:
    """The files that a report is made of; results/README.md says what is in each.

    Attributes:
        groups: runs.csv of each group, its other files beside it.
        plans: the plans of all experiments.
        tables: NAME.json of the paper's tables.
        figures: NAME.svg of its figures.
        claims: claims.json.
        sweeps: trials.csv of each sweep, its other files beside it.
        compute: compute.json of the paper.
        verification: verification.json.
    """

    groups: Sequence[Path]
    plans: Sequence[Path] = ()
    tables: Sequence[Path] = ()
    figures: Sequence[Path] = ()
    claims: Path | None = None
    sweeps: Sequence[Path] = ()
    compute: Path | None = None
    verification: Path | None = None


def read_contents(title: str, sources: Sources, statistics: Mapping[str, Any]) -> dict[str, Any]:
    """What the template page.html shows, and under `data` what its script does.

    Args:
        title: where in W&B the runs are.
        sources: the files.
        statistics: `paper.statistics`, by which curves are averaged.
    """
    groups = read_groups(sources.groups)
    variants = find_variants(groups)
    runs = list(all_runs(groups))
    curves = pack_curves(groups, variants, statistics)
    packed = {name: curves.pop(name) for name in ("averages", "singles")}
    experiments = experiment_section(sources.plans)
    sweeps = sweep_section(sources.sweeps)
    return {
        "title": title,
        "runs": len(runs),
        "failed": [run for _, run in runs if run["state"] == "failed"],
        "unfinished": sum(run["state"] not in ("finished", "failed") for _, run in runs),
        "variants": len(variants),
        "groups": [group.name for group in groups],
        "experiments": experiments,
        "claims": claim_section(sources.claims),
        "tables": [read_json(path) for path in sources.tables],
        "figures": figure_section(sources.figures),
        "sweeps": sweeps,
        "compute": sources.compute and read_json(sources.compute),
        "verification": sources.verification and read_json(sources.verification),
        "points": curves["points"],
        "method": _method(statistics),
        "packed": packed,
        "data": {
            "runs": _columns(groups),
            "metrics": list(packed["averages"]),
            "main": _main_metrics(experiments),
            "variants": [vars(variant) for variant in variants],
            "sweeps": [_shown(sweep) for sweep in sweeps],
        },
    }


def _method(statistics: Mapping[str, Any]) -> str:
    """How curves are averaged, such as "mean, 95 % interval by Student's t"."""
    how = {name: statistics[name] for name in ("statistic", "interval", "confidence")}
    return estimate([0.0, 0.0], **how).method  # equal values take no bootstrap


def _main_metrics(experiments: Sequence[Mapping[str, Any]]) -> list[str]:
    """The metrics by which the experiments are judged."""
    metrics = (found["spec"].metric for found in experiments)
    return list(dict.fromkeys(metric.name for metric in metrics if metric))


def _columns(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """The columns of the table of runs: who they are, their results, parameters, and where."""
    rows = [{**run, "group": group} for group, run in all_runs(groups)]
    names = dict.fromkeys(name for row in rows for name in row)
    results = sorted(name for name in names if name.startswith("summary.") and name[8] != "_")
    parameters = [name for name in names if name.startswith("config.")]
    return [
        {"name": name, "values": [_plain(row.get(name)) for row in rows]}
        for name in (*_ABOUT_RUN, *results, *parameters, *_ABOUT_HOST)
    ]


def _shown(sweep: Mapping[str, Any]) -> dict[str, Any]:
    """The trials of a sweep as its chart has them."""
    names = ("trial", "state", "objective", "best_so_far", "stopped_early", "parameters")
    trials = ({name: _plain(trial[name]) for name in names} for trial in sweep["trials"])
    return {"name": sweep["name"], "metric": sweep["metric"], "trials": list(trials)}


def _plain(value: Any) -> Any:
    """A value as JSON has it; numbers that aren't finite as words."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
