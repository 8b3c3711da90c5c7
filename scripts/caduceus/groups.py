"""The export of a W&B group: every run in one table, per-variant aggregates, the whole history."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from caduceus.files import read_json, write_json, write_whole
from caduceus.rendering import parse, render, to_csv
from caduceus.runs import RunFolder
from caduceus.statistics import estimate_mean

_EXACT_INT = 2**53  # a float column holds whole numbers up to here exactly
_ABOUT_ROW = ("run", "experiment", "variant", "seed")
_ABOUT_RUN = ("run", "name", "experiment", "type", "variant", "seed", "state", "error")


def export_group(group: str, plans: Sequence[Path], folder: Path) -> None:
    """Write runs.csv, variants.csv, history.parquet and compute.json of a group into `folder`.

    results/README.md says what is in each.

    Args:
        group: the W&B group.
        plans: the plans of all experiments; those of other groups are passed over.
        folder: results/groups/GROUP.
    """
    members = list(_members(group, plans))
    write_whole(folder / "runs.csv", to_csv([_flat(member) for member in members], _ABOUT_RUN))
    variants = list(_variants(members))
    write_whole(folder / "variants.csv", to_csv(variants, tuple(variants[0])))
    _write_history(members, folder / "history.parquet")
    write_json(folder / "compute.json", _compute(group, members))


@dataclass(frozen=True)
class _Member:
    """A run of the group: its experiment's type, its own parameters, its export and its folder.

    `config` is what the experiment says; run_summary.json has what the program added too.
    """

    type: str
    config: dict[str, Any]
    summary: dict[str, Any]
    folder: Path


def _members(group: str, plans: Sequence[Path]) -> Iterator[_Member]:
    """Every run of the group, in the order of the plans."""
    for path in plans:
        plan = read_json(path)
        if plan["spec"]["group"] == group:
            for run_id in plan["runs"]:
                folder = RunFolder.of_plan(path, run_id).path
                config = read_json(folder / "run.json")["config"]
                summary = read_json(folder / "run_summary.json")
                yield _Member(plan["spec"]["type"], config, summary, folder)


def _flat(member: _Member) -> dict[str, Any]:
    """A run as one row: about it, its parameters as config.*, its results as summary.*."""
    summary = member.summary
    row = {name: summary.get(name) for name in _ABOUT_RUN}
    row |= {"run": summary["run_id"], "type": member.type}
    row |= {f"config.{name}": value for name, value in leaves(summary["config"])}
    row |= {f"summary.{name}": value for name, value in leaves(summary["summary"])}
    return row | {
        "git_commit": summary["git"]["commit"],
        "host": summary["host"],
        "started_at": summary["started_at"],
        "runtime_s": summary["runtime_s"],
    }


def leaves(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that isn't a mapping, by its keys joined by dots; media are passed over."""
    for key, value in values.items():
        name = above + key.replace(".", "\\.")
        if not isinstance(value, dict):
            yield name, value
        elif "_type" not in value:
            yield from leaves(value, f"{name}.")


def _variants(members: Sequence[_Member]) -> Iterator[dict[str, Any]]:
    """For each variant and numeric result: n, failed, mean, std and a 95 % interval over seeds.

    A variant without any result has one row with n 0, so that it isn't lost.
    """
    by_variant: dict[tuple[str, str], list[_Member]] = {}
    for member in members:
        key = (member.summary["experiment"], member.summary["variant"])
        by_variant.setdefault(key, []).append(member)
    for (experiment, variant), found in by_variant.items():
        summaries = [member.summary for member in found]
        finished = [dict(leaves(s["summary"])) for s in summaries if s["state"] == "finished"]
        about = {
            "experiment": experiment,
            "variant": variant,
            "runs": len(summaries),
            "failed": len(summaries) - len(finished),
        }
        parameters = {
            f"config.{name}": value for name, value in leaves(found[0].config) if name != "seed"
        }
        aggregates = list(_aggregates(finished)) or [{"metric": None, "n": 0}]
        for aggregate in aggregates:
            yield about | aggregate | parameters


def _aggregates(results: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for name in sorted({name for result in results for name in result if _is_result(name)}):
        found = [result[name] for result in results if name in result]
        values = [float(v) for v in found if isinstance(v, int | float) and math.isfinite(v)]
        if values:
            estimate = estimate_mean(values)
            yield {
                "metric": name,
                "n": estimate.n,
                "mean": estimate.mean,
                "std": estimate.std,
                "low": estimate.low,
                "high": estimate.high,
                "min": min(values),
                "max": max(values),
            }


def _is_result(name: str) -> bool:
    return not name.startswith(("_", "system/"))


def _write_history(members: Sequence[_Member], path: Path) -> None:
    """Every row of every run, typed, with the run, experiment, variant and seed before it.

    A metric of one of these four names is called `logged.NAME`.
    """
    columns: dict[str, list[Any]] = {name: [] for name in _ABOUT_ROW}
    length = 0
    for member in members:
        summary = member.summary
        with (member.folder / "metrics_history.csv").open(newline="") as stream:
            reader = csv.reader(stream)
            names = [f"logged.{n}" if n in _ABOUT_ROW else n for n in next(reader)]
            rows = list(reader)
        about = (summary["run_id"], summary["experiment"], summary["variant"], summary["seed"])
        for name, value in zip(_ABOUT_ROW, about, strict=True):
            columns[name] += [value] * len(rows)
        for index, name in enumerate(names):
            column = columns.setdefault(name, [None] * length)
            column += [parse(row[index]) if row[index] else None for row in rows]
        length += len(rows)
        for column in columns.values():
            column += [None] * (length - len(column))
    table = pa.table({name: _typed(values) for name, values in columns.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    pq.write_table(table, part)
    part.replace(path)


def _typed(values: Sequence[Any]) -> pa.Array:
    """A column in the narrowest type that holds every value exactly; text of cells if none does."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool}:
        return pa.array(values, pa.bool_())
    if kinds <= {int} and all(v is None or -(2**63) <= v < 2**63 for v in values):
        return pa.array(values, pa.int64())
    if kinds <= {int, float} and all(
        not isinstance(v, int) or abs(v) <= _EXACT_INT for v in values
    ):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    if kinds <= {str}:
        return pa.array(values, pa.string())
    return pa.array([None if v is None else render(v) for v in values], pa.string())


def _compute(group: str, members: Sequence[_Member]) -> dict[str, Any]:
    """What the group's runs cost, over all their attempts."""
    trains = [read_json(member.folder / "train.json") for member in members]
    attempts = [attempt for train in trains for attempt in train["attempts"]]
    return {
        "group": group,
        "runs": len(trains),
        "failed_runs": [train["run"] for train in trains if train["state"] == "failed"],
        "attempts": len(attempts),
        "wall_hours": sum(attempt["wall_s"] for attempt in attempts) / 3600,
        "cpu_hours": sum(attempt["cpu_s"] for attempt in attempts) / 3600,
        "peak_memory_gb": max(attempt["peak_memory_gb"] for attempt in attempts),
    }
