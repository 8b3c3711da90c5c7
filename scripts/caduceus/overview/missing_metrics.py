"""Finished runs that lack their experiment's metric, for example after a misspelled name."""

from pathlib import Path

from caduceus.io.csv_rows import columns_of
from caduceus.io.phrases import count_of
from caduceus.runs.files.export import Summary
from caduceus.runs.files.plan import Plan
from caduceus.runs.folder import RunFolder
from caduceus.runs.unknown_metrics import logged_instead
from caduceus.runs.variants import leaves
from caduceus.wandb_log.records import metric_name


def without_metric(plan_json: Path) -> str | None:
    """Return one line on the finished runs of an experiment that lack its metric, if any do.

    Args:
        plan_json: results/experiments/ID.json, whose runs have been exported.
    """
    plan = Plan.read(plan_json)
    metric = plan.spec.metric
    if metric is None:
        return None
    wanted = {metric.name, metric_name([metric.name])}
    missing: list[str] = []
    logged: dict[str, None] = {}
    for run in plan.runs:
        folder = RunFolder.of_plan(plan_json, run.id).path
        summary = Summary.read(folder / "run_summary.json")
        if summary.state != "finished":
            continue
        names = _logged(folder, summary)
        if not wanted & names.keys():
            missing.append(run.id)
            logged |= names
    if not missing:
        return None
    return (
        f"without {metric.name}, the metric of {plan.spec.id}: "
        f"{count_of(len(missing), 'finished run')}, such as {missing[0]}; "
        f"{logged_instead(metric.name, logged)}"
    )


def _logged(folder: Path, summary: Summary) -> dict[str, None]:
    """Return the names of a run's metrics, in its rows or its summary."""
    columns = columns_of(folder / "metrics_history.csv")
    return dict.fromkeys([*columns, *(name for name, _ in leaves(summary.summary))])
