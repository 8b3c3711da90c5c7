"""Checks of a figure that a schema can't express: that it has what its kind needs."""

from collections.abc import Mapping, Sequence

from caduceus.io.validation import brief
from caduceus.project.claim_checks import Refuse
from caduceus.project.paper import FigureEntry
from caduceus.project.paper_selections import CandidateRun, experiments_of, is_side
from caduceus.project.sides import Side
from caduceus.project.table_checks import check_goals, check_has_tasks, check_row, check_tasks
from caduceus.runs.files.plan import Spec

_NEEDS_METRICS = ("curves", "bars", "differences", "profiles", "ranks")


def check_figure(
    entry: FigureEntry,
    runs: Sequence[CandidateRun],
    specs: Mapping[str, Spec],
    refuse: Refuse,
) -> None:
    """Refuse a figure that lacks what its kind needs.

    Args:
        entry: the figure.
        runs: the runs that it shows.
        specs: the experiments, by id.
        refuse: makes the error, from what is wrong and the keys where.

    Raises:
        SpecError: the first thing that is missing.
    """
    kind, metrics = entry.kind, entry.metrics
    if kind in _NEEDS_METRICS and not metrics:
        raise refuse(": missing key 'metrics': add it, headings with their metrics", [])
    if entry.axis is not None and kind != "curves":
        raise refuse(".axis: only figures of kind curves have an axis; leave it out", ["axis"])
    if kind == "curves":
        for heading, metric in metrics.items():
            if not metric.is_summary:
                raise refuse(
                    f".metrics.{heading}: a curve has every step; give the metric's name alone",
                    ["metrics", heading],
                )
    if kind == "confusion" and len(metrics) > 1:
        raise refuse(
            ".metrics: a confusion matrix shows one chart; make a figure for each", ["metrics"]
        )
    if kind == "differences":
        _check_baseline(entry, runs, specs, refuse)
    if kind == "ranks":
        if entry.tasks is None:
            raise refuse(": missing key 'tasks': add it, a parameter such as dataset", [])
        check_has_tasks(entry.tasks, runs, refuse)
        check_goals(entry, [specs[name] for name in experiments_of(runs)], "ranks need", refuse)
        if entry.baseline:
            check_row(entry, entry.baseline, runs, refuse)
    if kind == "profiles" and entry.tasks is not None:
        check_tasks(entry.tasks, runs, refuse)
    if kind == "sweep":
        sweeps = dict.fromkeys(run.experiment for run in runs if specs[run.experiment].sweep)
        if len(sweeps) != 1:
            found = f"several sweeps: {', '.join(sweeps)}" if sweeps else "no sweep"
            raise refuse(f": shows {found}; name one sweep's experiment under experiments", [])


def _check_baseline(
    entry: FigureEntry,
    runs: Sequence[CandidateRun],
    specs: Mapping[str, Spec],
    refuse: Refuse,
) -> None:
    sides: dict[str | None, Side | None] = {
        name: specs[name].baseline for name in experiments_of(runs)
    }
    if entry.baseline:
        sides = {None: entry.baseline}
    for experiment, side in sides.items():
        if not side:
            raise refuse(
                f": {experiment} has no baseline; add the key 'baseline' here or to the experiment",
                [],
            )
        if not any(experiment in (None, run.experiment) and is_side(run, side) for run in runs):
            names = dict.fromkeys(f"{run.variant} of {run.experiment}" for run in runs)
            raise refuse(
                f".baseline: {brief(side)} matches no variant that is shown; there are "
                f"{'; '.join(names)}",
                ["baseline"],
            )
