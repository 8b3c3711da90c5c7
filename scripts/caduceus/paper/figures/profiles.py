"""Figures of kind profiles: performance profiles, the share of runs that beat each score.

See Dolan & Moré 2002, and Agarwal et al. 2021 for intervals by stratified bootstrap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from caduceus.errors import ResultError
from caduceus.paper.figures.figure_data import (
    FigureContent,
    FigureData,
    label_variants,
    rounded,
    run_count,
)
from caduceus.paper.figures.layout import wrap
from caduceus.paper.figures.line_panels import line_panels
from caduceus.paper.figures.style import LABEL_SIZE
from caduceus.paper.labels import varying_parameters
from caduceus.paper.results import Variant
from caduceus.paper.task_methods import group_methods
from caduceus.runs.goal import Goal
from caduceus.runs.metric import Metric
from caduceus.statistics.profiles import performance_profile
from caduceus.statistics.samples import Array
from caduceus.statistics.settings import Methods

_MOST_SCORES = 100  # points of a profile
_MOST_RESAMPLES = 2_000  # as in rliable; more need much memory with many tasks
_MARGIN = 0.03  # share of the scores' span that is left free at either end
_LEAST_IN = 1.8  # least width of a panel in inches, with its axis


@dataclass(frozen=True)
class Method:
    """A line of a profile: its label, and its variant on each task."""

    label: str
    tasks: Mapping[str, Variant]

    def scores(self, metric: Metric) -> dict[str, list[float]]:
        """Return the values of its runs on each task, without tasks that have none."""
        by_task = {task: variant.by_seed(metric) for task, variant in self.tasks.items()}
        return {task: list(values.values()) for task, values in by_task.items() if values}


def find_methods(data: FigureData) -> list[Method]:
    """Return each variant as a method; with `tasks`, variants that differ only in it are one."""
    task = data.entry.tasks
    if task is None:
        names = varying_parameters(data.variants)
        grouped: list[Mapping[str, Variant]] = [{"": variant} for variant in data.variants]
    else:
        found = group_methods(data.variants, task, list(data.specs.values()))
        names, grouped = found.names, [method.tasks for method in found.methods]
    labels = label_variants([list(tasks.values()) for tasks in grouped], names)
    return [Method(label, tasks) for label, tasks in zip(labels, grouped, strict=True)]


def measure_profiles(data: FigureData) -> FigureContent:
    """Compute the profile of each method, for each metric, over the tasks that all methods have.

    Raises:
        ResultError: no task has results of all methods that have any.
    """
    methods = find_methods(data)
    runs: dict[str, None] = {}
    counts: list[int] = []
    left_out: dict[str, None] = {}
    panels = []
    for heading, metric in data.entry.metrics.items():
        scores = [(method, method.scores(metric)) for method in methods]
        scores = [(method, found) for method, found in scores if found]
        all_tasks = dict.fromkeys(task for _, found in scores for task in found)
        tasks = [task for task in all_tasks if all(task in found for _, found in scores)]
        if all_tasks and not tasks:
            raise ResultError(f"metrics.{heading}: no task has results of all methods", data.where)
        left_out |= dict.fromkeys(task for task in all_tasks if task not in tasks)
        sign = -1.0 if data.goal(metric) is Goal.MINIMIZE else 1.0
        tables = [
            sign * data.scale(heading) * _table([found[task] for task in tasks])
            for _, found in scores
        ]
        limits = _limits(tables)
        lines = []
        for (method, _), table in zip(scores, tables, strict=True):
            members = [run for task in tasks for run in method.tasks[task].runs(metric)]
            runs |= dict.fromkeys(members)
            counts.append(int(np.isfinite(table).sum()))
            lines.append(
                {"label": method.label, "runs": members} | _profile(table, limits, data.methods)
            )
        about = {"heading": data.titled(heading), "metric": metric.name, "tasks": tasks}
        edge = "below" if sign < 0 else "above"
        panels.append(about | {"edge": edge, "scores": rounded(sign * limits), "lines": lines})
    return FigureContent(_caption(data, counts, list(left_out)), list(runs), {"panels": panels})


def _table(tasks: Sequence[Sequence[float]]) -> Array:
    """Arrange scores as (runs, tasks), with NaN where a task has fewer runs than others."""
    table = np.full((max(map(len, tasks)), len(tasks)), np.nan)
    for place, values in enumerate(tasks):
        table[: len(values), place] = values
    return table


def _limits(tables: Sequence[Array]) -> Array:
    """Return the scores at which shares change, at most `_MOST_SCORES` of them, between margins."""
    if not tables:
        return np.zeros(0)
    scores = np.unique(np.concatenate([table[np.isfinite(table)] for table in tables]))
    if len(scores) > _MOST_SCORES:
        scores = scores[np.linspace(0, len(scores) - 1, _MOST_SCORES).round().astype(int)]
    margin = _MARGIN * (scores[-1] - scores[0]) or abs(scores[0]) * _MARGIN or 1.0
    return np.array([scores[0] - margin, *scores, scores[-1] + margin])


def _profile(table: Array, limits: Array, methods: Methods) -> dict[str, Any]:
    resamples = min(methods.resamples, _MOST_RESAMPLES)
    profile = performance_profile(table, limits, methods.confidence, resamples)
    return {name: rounded(100 * getattr(profile, name)) for name in ("share", "low", "high")}


def _caption(data: FigureData, counts: Sequence[int], left_out: Sequence[str]) -> str:
    over = "" if data.entry.tasks is None else ", averaged over tasks"
    sentences = [
        f"Share of runs that beat a score, over {run_count(counts)}{over}; bands are "
        f"{data.interval_name}s by stratified bootstrap."
    ]
    if left_out:
        names = ", ".join(left_out)
        sentences.append(f"Left out, because some methods have no result there: {names}.")
    return " ".join([*sentences, *data.failures()])


def draw_profiles(numbers: Mapping[str, Any], width: float) -> Figure:
    """Draw a panel for each metric, with a step line and a band for each method."""
    panels = numbers["panels"]
    layout = line_panels(width, panels, _LEAST_IN)
    for axes, panel in zip(layout.all_axes, panels, strict=True):
        for line in panel["lines"]:
            style = layout.styles[line["label"]]
            share, low, high = (
                np.array(line[name], dtype=float) for name in ("share", "low", "high")
            )
            # If less is better, scores are listed in descending order.
            [handle] = axes.step(panel["scores"], share, where="post", **style)
            axes.fill_between(
                panel["scores"],
                low,
                high,
                step="post",
                color=style["color"],
                alpha=layout.band_alpha,
                lw=0,
            )
            layout.handles.setdefault(line["label"], handle)
        axes.set_ylim(-3, 103)
        axes.set_xlabel(wrap(panel["heading"], layout.length, LABEL_SIZE))
        axes.set_ylabel(f"runs {panel['edge']} (%)")
    return layout.finish()
