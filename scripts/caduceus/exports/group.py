"""The export of a W&B group: every run in one table, per-variant aggregates, the whole history."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from caduceus.exports.group_history import ABOUT, RunHistory, write_failed_history, write_history
from caduceus.io.cells import render, to_csv
from caduceus.io.failed_entries import write_failed_files
from caduceus.io.files import Json, write_json, write_whole
from caduceus.runs.cost import total_cost
from caduceus.runs.differences import differences
from caduceus.runs.equal_seeds import equal_seeds, repeats
from caduceus.runs.files.export import Summary
from caduceus.runs.files.plan import Plan
from caduceus.runs.folder import RunFolder
from caduceus.runs.metric_names import is_system_metric
from caduceus.runs.record import RunRecord
from caduceus.runs.rows import ABOUT_RUN, run_row
from caduceus.runs.variants import leaves
from caduceus.statistics.estimates import estimate_mean


def export_group(group: str, plans: Sequence[Path], folder: Path, folds: int | None) -> None:
    """Write runs.csv, variants.csv, history.parquet and compute.json of a group into `folder`.

    results/README.md says what is in each.

    Args:
        group: the W&B group.
        plans: the plans of all experiments; experiments of other groups are skipped.
        folder: results/groups/GROUP.
        folds: see `equal_seeds`.
    """
    members = list(_members(group, plans))
    write_whole(folder / "runs.csv", to_csv([_row(member) for member in members], ABOUT_RUN))
    variants = list(_variants(members, folds))
    write_whole(folder / "variants.csv", to_csv(variants, tuple(next(iter(variants), ()))))
    write_history(
        [_history(member.summary, member.folder.path) for member in members],
        folder / "history.parquet",
    )
    write_json(folder / "compute.json", _compute(group, members))


def group_files(folder: Path) -> list[Path]:
    """Return the files of `export_group`."""
    return [*loose_group_files(folder), folder / "variants.csv", folder / "compute.json"]


def loose_group_files(folder: Path) -> list[Path]:
    """Return the files of `export_loose_group`."""
    return [folder / "runs.csv", folder / "history.parquet"]


def write_failed_group(files: Sequence[Path], error: str) -> None:
    """Write the files of a group with an error in place of its runs."""
    write_failed_files((path for path in files if path.suffix != ".parquet"), error)
    for path in files:
        if path.suffix == ".parquet":
            write_failed_history(path, error)


def export_loose_group(runs: Sequence[Path], folder: Path) -> None:
    """Write runs.csv and history.parquet of exported runs that no experiment describes.

    Args:
        runs: the folders of their exports.
        folder: takes the files.
    """
    summaries = [Summary.read(run / "run_summary.json") for run in runs]
    rows = [run_row(summary, None, None) for summary in summaries]
    write_whole(folder / "runs.csv", to_csv(rows, ABOUT_RUN))
    histories = [_history(*pair) for pair in zip(summaries, runs, strict=True)]
    write_history(histories, folder / "history.parquet")


def _history(summary: Summary, folder: Path) -> RunHistory:
    about = dict(
        zip(ABOUT, (summary.run_id, summary.experiment, summary.variant, summary.seed), strict=True)
    )
    return RunHistory(about, folder / "metrics_history.csv", summary.defined_metrics or {})


def _members(group: str, plans: Sequence[Path]) -> Iterator[RunRecord]:
    """Yield every run of the group, in the order of the plans."""
    for path in plans:
        plan = Plan.read(path)
        if plan.spec.group == group:
            for run in plan.runs:
                yield RunRecord(RunFolder.of_plan(path, run.id), plan.spec.type)


def _row(member: RunRecord) -> dict[str, Json]:
    return run_row(member.summary, member.train, member.type)


def _variants(members: Sequence[RunRecord], folds: int | None) -> Iterator[dict[str, Json]]:
    """Yield n, failed, mean, std and a 95 % interval over seeds of each variant and numeric result.

    Also what differs between the runs that are averaged: in the code that ran, in the environment.

    A variant without any result has one row with n 0. Skipped trials are left out, and equal seeds
    count as `equal_seeds` says.
    """
    by_variant: dict[tuple[str, str], list[RunRecord]] = {}
    for member in members:
        if member.summary.state == "skipped":
            continue
        key = (member.summary.experiment or "", member.summary.variant or "")
        by_variant.setdefault(key, []).append(member)
    for (experiment, variant), found in by_variant.items():
        summaries = [member.summary for member in found]
        repeated = repeats(equal_seeds(found, folds))
        finished = [s for s in summaries if s.state == "finished"]
        counted = [dict(leaves(s.summary)) for s in finished if s.run_id not in repeated]
        about: dict[str, Json] = {
            "experiment": experiment,
            "variant": variant,
            "runs": len(summaries),
            "failed": len(summaries) - len(finished),
            "differences": differences(
                [m.attempts for m in found if m.summary.state == "finished"], are_seeds=True
            ).phrase
            or None,
        }
        # From run.json, as run_summary.json has what the program added too.
        parameters = {
            f"config.{name}": _used(found, name, value)
            for name, value in leaves(found[0].identity.config)
            if name != "seed"
        }
        nothing: dict[str, Json] = {"metric": None, "n": 0}
        for aggregate in list(_aggregates(counted)) or [nothing]:
            yield about | aggregate | parameters


def _used(members: Sequence[RunRecord], name: str, planned: Json) -> Json:
    """Return the value of a parameter that the runs of a variant used; a list if they differ."""
    values = {}
    for member in members:
        changed = (member.manifest and member.manifest.changed_parameters) or {}
        value = changed[name].used if name in changed else planned
        values[render(value)] = value
    return next(iter(values.values())) if len(values) == 1 else list(values.values())


def _aggregates(results: Sequence[Mapping[str, Json]]) -> Iterator[dict[str, Json]]:
    for name in sorted({name for result in results for name in result if _is_result(name)}):
        found = [result[name] for result in results if name in result]
        values = [float(v) for v in found if isinstance(v, int | float) and math.isfinite(v)]
        if values:
            estimate = estimate_mean(values)
            yield {
                "metric": name,
                "n": estimate.n,
                "mean": estimate.value,
                "std": estimate.std,
                "low": estimate.low,
                "high": estimate.high,
                "min": min(values),
                "max": max(values),
            }


def _is_result(name: str) -> bool:
    return name[0] != "_" and not is_system_metric(name)


def _compute(group: str, members: Sequence[RunRecord]) -> dict[str, Json]:
    """Sum up the cost of the group's runs over all their attempts."""
    attempts = [attempt for member in members for attempt in member.attempts]
    return {
        "group": group,
        "runs": len(members),
        "failed_runs": [m.summary.run_id for m in members if m.summary.state == "failed"],
        **vars(total_cost(attempts)),
    }
