"""Performance profiles: which share of runs gets past each score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from caduceus.errors import ResultError
from caduceus.paper.figures.figure_data import (
    Content,
    FigureData,
    name_variants,
    rounded,
    run_count,
)
from caduceus.paper.figures.layout import wrap
from caduceus.paper.figures.line_panels import line_panels
from caduceus.paper.figures.style import LABEL_SIZE
from caduceus.paper.labels import parameter_text, varying_parameters
from caduceus.paper.results import Variant
from caduceus.project.paper_selections import Metric, metric_name
from caduceus.runs.goal import Goal
from caduceus.statistics.profiles import performance_profile
from caduceus.statistics.samples import Array

_MOST_SCORES = 100  # at which a profile is drawn
_MOST_RESAMPLES = 2_000  # as rliable draws; those of many tasks take much memory
_MARGIN = 0.03  # what a panel goes on beyond the scores, as a share of their span
_LEAST_IN = 1.8  # inches that a panel is wide at least, with its axis


@dataclass(frozen=True)
class Method:
    """A line of a profile: what it is called, and its variant on each task."""

    label: str
    tasks: Mapping[str, Variant]

    def scores(self, metric: Metric) -> dict[str, list[float]]:
        """The results of its runs on each task where it has any."""
        found = {task: variant.by_seed(metric) for task, variant in self.tasks.items()}
        return {task: list(values.values()) for task, values in found.items() if values}


def find_methods(data: FigureData) -> list[Method]:
    """Each variant, or all that differ only in the parameter that the entry names for the tasks."""
    task = data.entry["tasks"]
    names = [name for name in varying_parameters(data.variants) if name != task]
    found: dict[Any, dict[str, Variant]] = {}
    for variant in data.variants:
        values = tuple(parameter_text(variant.parameters.get(name)) for name in names)
        key = (variant.experiment, *(values if task else (variant.name,)))
        found.setdefault(key, {})[parameter_text(variant.parameters.get(task))] = variant
    methods = [list(tasks.values()) for tasks in found.values()]
    labels = name_variants(methods, names)
    return [Method(label, tasks) for label, tasks in zip(labels, found.values(), strict=True)]


def measure_profiles(data: FigureData) -> Content:
    """The profile of each method, for each metric; a task that some method lacks is left out.

    Raises:
        ResultError: no task has results of all methods that have any.
    """
    methods = find_methods(data)
    runs: dict[str, None] = {}
    counts: list[int] = []
    lacking: dict[str, None] = {}
    panels = []
    for heading, metric in data.metrics.items():
        scores = [(method, method.scores(metric)) for method in methods]
        scores = [(method, found) for method, found in scores if found]
        every = dict.fromkeys(task for _, found in scores for task in found)
        tasks = [task for task in every if all(task in found for _, found in scores)]
        if every and not tasks:
            raise ResultError(f"metrics.{heading}: no task has results of all methods", data.where)
        lacking |= dict.fromkeys(task for task in every if task not in tasks)
        sign = -1.0 if data.goal(metric) is Goal.MINIMIZE else 1.0
        tables = [
            sign * data.scale * _table([found[task] for task in tasks]) for _, found in scores
        ]
        limits = _limits(tables)
        lines = []
        for (method, _), table in zip(scores, tables, strict=True):
            shown = [run for task in tasks for run in method.tasks[task].runs(metric)]
            runs |= dict.fromkeys(shown)
            counts.append(int(np.isfinite(table).sum()))
            lines.append(
                {"label": method.label, "runs": shown} | _profile(table, limits, data.statistics)
            )
        about = {"heading": data.titled(heading), "metric": metric_name(metric), "tasks": tasks}
        edge = "below" if sign < 0 else "above"
        panels.append(about | {"edge": edge, "scores": rounded(sign * limits), "lines": lines})
    return Content(_caption(data, counts, list(lacking)), list(runs), {"panels": panels})


def _table(tasks: Sequence[Sequence[float]]) -> Array:
    """Scores (runs, tasks), NaN where a task has fewer runs than others."""
    table = np.full((max(map(len, tasks)), len(tasks)), np.nan)
    for place, values in enumerate(tasks):
        table[: len(values), place] = values
    return table


def _limits(tables: Sequence[Array]) -> Array:
    """Where shares change: all scores or, of many, evenly chosen ones; and a place before them."""
    if not tables:
        return np.zeros(0)
    scores = np.unique(np.concatenate([table[np.isfinite(table)] for table in tables]))
    if len(scores) > _MOST_SCORES:
        scores = scores[np.linspace(0, len(scores) - 1, _MOST_SCORES).round().astype(int)]
    margin = _MARGIN * (scores[-1] - scores[0]) or abs(scores[0]) * _MARGIN or 1.0
    return np.array([scores[0] - margin, *scores, scores[-1] + margin])


def _profile(table: Array, limits: Array, statistics: Mapping[str, Any]) -> dict[str, Any]:
    resamples = min(statistics["resamples"], _MOST_RESAMPLES)
    found = performance_profile(table, limits, statistics["confidence"], resamples)
    return {name: rounded(100 * getattr(found, name)) for name in ("share", "low", "high")}


def _caption(data: FigureData, counts: Sequence[int], lacking: Sequence[str]) -> str:
    over = "" if data.entry["tasks"] is None else ", in the mean over tasks"
    sentences = [
        f"Share of runs that get past a score, over {run_count(counts)}{over}; bands are "
        f"{data.interval_name}s by stratified bootstrap."
    ]
    if lacking:
        sentences.append(f"Left out, as not all have results: {', '.join(lacking)}.")
    return " ".join([*sentences, *data.failures()])


def draw_profiles(numbers: Mapping[str, Any], width: float) -> Figure:
    """A panel for each metric, a line of steps and a band for each method."""
    panels = numbers["panels"]
    shown = line_panels(width, panels, _LEAST_IN)
    for axes, panel in zip(shown.all_axes, panels, strict=True):
        for line in panel["lines"]:
            style = shown.styles[line["label"]]
            share, low, high = (
                np.array(line[name], dtype=float) for name in ("share", "low", "high")
            )
            # Where less is better, scores go down, and steps with them.
            [handle] = axes.step(panel["scores"], share, where="post", **style)
            axes.fill_between(
                panel["scores"],
                low,
                high,
                step="post",
                color=style["color"],
                alpha=shown.band_alpha,
                lw=0,
            )
            shown.handles.setdefault(line["label"], handle)
        axes.set_ylim(-3, 103)
        axes.set_xlabel(wrap(panel["heading"], shown.length, LABEL_SIZE))
        axes.set_ylabel(f"runs {panel['edge']} (%)")
    return shown.finish()
