"""Checks of a table that a schema can't express: its tasks, and what its aggregates need."""

import json
from collections.abc import Sequence

from caduceus.io.phrases import pasted
from caduceus.io.validation import brief, suggestion
from caduceus.project.claim_checks import Refuse
from caduceus.project.paper import FigureEntry, TableEntry
from caduceus.project.paper_selections import CandidateRun, goal_of, is_side
from caduceus.project.sides import Side
from caduceus.runs.files.plan import Spec


def check_table(
    entry: TableEntry,
    runs: Sequence[CandidateRun],
    specs: Sequence[Spec],
    refuse: Refuse,
) -> None:
    """Refuse a table whose tasks no run has, or that lacks what its aggregates need.

    Args:
        entry: the table.
        runs: the runs that it shows.
        specs: their experiments.
        refuse: makes the error, from what is wrong and the keys where.

    Raises:
        SpecError: the first thing that is wrong.
    """
    if (entry.spread == "items") != (entry.items is not None):
        if entry.items is None:
            raise refuse(
                ".spread: items needs the key `items`, the file of scores, such as "
                "`items: {file: predictions.csv}`",
                ["spread"],
            )
        raise refuse(
            f".items: spread {entry.spread} reads no items; write `spread: items`, or leave it out",
            ["items"],
        )
    is_improvement = "improvement" in (entry.aggregates or ())
    if entry.tasks is None:
        for key, value in (("aggregates", entry.aggregates), ("normalise", entry.normalise)):
            if value:
                raise refuse(f".{key}: needs the key 'tasks', a parameter such as dataset", [key])
    else:
        check_has_tasks(entry.tasks, runs, refuse)
    if entry.normalise:
        _check_normalise(entry, runs, refuse)
    if is_improvement:
        check_goals(entry, specs, "the probability of improvement needs", refuse)
    if is_improvement or entry.relative:
        what = "the probability of improvement" if is_improvement else "the relative change"
        if not entry.baseline and not any(spec.baseline for spec in specs):
            raise refuse(f": {what} needs the key 'baseline', parameters of a row", [])
        for spec in specs:
            if not entry.baseline and spec.baseline:
                check_row(entry, spec.baseline, runs, refuse)
    if entry.baseline:
        check_row(entry, entry.baseline, runs, refuse)


def check_has_tasks(tasks: str, runs: Sequence[CandidateRun], refuse: Refuse) -> None:
    """Refuse tasks that aren't the values of a parameter of every run."""
    check_tasks(tasks, runs, refuse)
    for run in runs:
        if run.parameters is not None and tasks not in run.parameters:
            raise refuse(
                f".tasks: {run.variant} of {run.experiment} has no parameter {pasted(tasks)}; "
                "show only variants that have it",
                ["tasks"],
            )


def check_tasks(tasks: str, runs: Sequence[CandidateRun], refuse: Refuse) -> None:
    """Refuse tasks that aren't the values of any run's parameter."""
    known = dict.fromkeys(name for run in runs for name in run.parameters or ())
    if tasks not in known:
        raise refuse(
            f".tasks: no run has a parameter {pasted(tasks)}{suggestion(tasks, known)}; there are "
            f"{', '.join(known)}",
            ["tasks"],
        )


def _check_normalise(entry: TableEntry, runs: Sequence[CandidateRun], refuse: Refuse) -> None:
    values = [run.parameters[entry.tasks or ""] for run in runs if run.parameters is not None]
    tasks = dict.fromkeys(each if isinstance(each, str) else json.dumps(each) for each in values)
    for task, (zero, one) in entry.normalise.items():
        if task not in tasks:
            raise refuse(
                f".normalise: {pasted(task)} is no task{suggestion(task, tasks)}; there are "
                f"{', '.join(tasks)}",
                ["normalise", task],
            )
        if zero == one:
            raise refuse(
                f".normalise.{task}: {zero:g} can't be both 0 and 1; give two values",
                ["normalise", task],
            )
    without = [task for task in tasks if task not in entry.normalise]
    if without:
        raise refuse(f".normalise: give two values for {', '.join(without)} too", ["normalise"])


def check_goals(
    entry: TableEntry | FigureEntry, specs: Sequence[Spec], needs: str, refuse: Refuse
) -> None:
    """Refuse a metric of which neither entry nor experiments say which values are better."""
    for heading, metric in entry.metrics.items():
        if goal_of(metric, entry.goal, specs) is None:
            raise refuse(
                f".metrics.{heading}: {needs} a goal; add the key 'goal'", ["metrics", heading]
            )


def check_row(
    entry: TableEntry | FigureEntry,
    baseline: Side,
    runs: Sequence[CandidateRun],
    refuse: Refuse,
) -> None:
    """Refuse a baseline that no method matches."""
    wanted: Side = {name: value for name, value in baseline.items() if name != entry.tasks}
    if not any(is_side(run, wanted) for run in runs):
        names = dict.fromkeys(f"{run.variant} of {run.experiment}" for run in runs)
        raise refuse(
            f".baseline: {brief(baseline)} matches no row; there are {'; '.join(names)}",
            ["baseline"] if entry.baseline else [],
        )
