"""Draw the charts of a sweep: history, parallel coordinates, importance, slices, expected best."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from caduceus.exports.sweep_importance import LEAST_TRIALS, Importance
from caduceus.exports.sweep_trials import TrialRow, best_so_far
from caduceus.paper.figures.expected_best import expected_best
from caduceus.paper.figures.layout import add_legend, column_count
from caduceus.paper.figures.parallel_coordinates import draw_parallel_coordinates
from caduceus.paper.figures.parameter_axes import (
    LETTER_IN,
    label_depth,
    name_letters,
    set_axis,
    shorten,
)
from caduceus.paper.figures.style import COLOURS, house_style, new_figure, write_figure
from caduceus.paper.figures.sweep_data import BEST_COLOUR, COLUMN, PAGE, End, SweepData
from caduceus.runs.goal import Goal
from caduceus.sweeps.configs import SweepConfig

_TRIAL, _STOPPED, _FAILED = COLOURS[0], COLOURS[4], COLOURS[6]
_MARKS: dict[End, dict[str, Any]] = {
    "finished": {"marker": "o", "color": _TRIAL, "ms": 3.5, "alpha": 0.7, "mew": 0},
    "stopped early": {"marker": "s", "color": _STOPPED, "ms": 3.2, "mfc": "none", "mew": 0.9},
    "failed": {"marker": "x", "color": _FAILED, "ms": 4, "mew": 1},
    "no value": {"marker": "+", "color": _FAILED, "ms": 5, "mew": 1},
    "beyond the axis": {"color": _TRIAL, "ms": 4.5, "mew": 0},
}
_BEST_MARK: dict[str, Any] = {
    "marker": "*",
    "color": BEST_COLOUR,
    "ms": 8,
    "mew": 0,
    "zorder": 4,
    "clip_on": False,
}
_INSIDE: tuple[End, ...] = ("finished", "stopped early")  # other trials are drawn at the edge
_WIDTHS = {
    "history": COLUMN,
    "parallel_coordinates": PAGE,
    "importance": COLUMN,
    "slices": PAGE,
    "expected_best": COLUMN,
}
_PANEL_IN = 1.35  # height of a panel of slices in inches, about
_LEAST_PANEL_IN = 1.3  # its least width in inches


def draw_sweep(
    rows: Sequence[TrialRow],
    config: SweepConfig,
    importances: Sequence[Importance],
    folder: Path,
) -> None:
    """Write the charts of a sweep into `folder`, each as PDF, SVG and PNG.

    They are `history`, `parallel_coordinates`, `importance`, `slices` and `expected_best`. A chart
    without data contains the reason.

    Args:
        rows: the sweep's trials in order, without confirmations.
        config: of the sweep.
        importances: of its parameters, the greatest first; empty if they couldn't be computed.
        folder: the target folder; it is created.
    """
    sweep = SweepData(rows, config)
    with house_style():
        figures = {
            name: draw_panel(name, sweep, importances, width) for name, width in _WIDTHS.items()
        }
    for name, figure in figures.items():
        write_figure(figure, folder, name)


def draw_panel(
    name: str, sweep: SweepData, importances: Sequence[Importance], width: float
) -> Figure:
    """Draw the chart `name` of a sweep, `width` inches wide; call it within `house_style()`."""
    no_axes = None if sweep.axes else "No parameter varies."
    too_few = f"Importances need {LEAST_TRIALS} trials with different values of {sweep.metric}."
    if name == "history":
        return _message(sweep.gap, width) or _history(sweep, width)
    if name == "parallel_coordinates":
        gap = no_axes if sweep.rows else sweep.gap
        return _message(gap, width) or draw_parallel_coordinates(sweep, width)
    if name == "importance":
        gap = sweep.gap or no_axes or (None if importances else too_few)
        return _message(gap, width) or _importance(importances, width)
    if name == "slices":
        return _message(sweep.gap or no_axes, width) or _slices(sweep, width)
    return _message(sweep.gap, width) or _expected_best(sweep, width)


def _message(text: str | None, width: float) -> Figure | None:
    """Draw a figure that contains only `text`; None if there is none."""
    if text is None:
        return None
    figure = new_figure(width, 1.0)
    figure.text(0.5, 0.5, text, ha="center", va="center", wrap=True)
    return figure


def _history(sweep: SweepData, width: float) -> Figure:
    """Draw the objective of each trial, and the best so far."""
    figure = new_figure(width, 2.6)
    axes = figure.subplots()
    numbers = [int(row.trial) for row in sweep.rows]
    _scatter(axes, sweep, numbers)
    best = [math.nan if b is None else b for b in best_so_far(sweep.rows, sweep.config.goal)]
    axes.step(numbers, best, where="post", color=BEST_COLOUR, lw=1.3, zorder=2, label="best so far")
    margin = max(0.5, 0.03 * len(numbers))
    axes.set_xlim(numbers[0] - margin, numbers[-1] + margin)
    axes.set_xlabel("trial")
    axes.set_ylabel(sweep.metric)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    _add_legend(figure, axes)
    return figure


def _scatter(axes: Axes, sweep: SweepData, places: Sequence[float]) -> None:
    """Draw all trials at `places`; those without an objective and outliers at the worse edge."""
    low, high = sweep.span
    has_edge = any(end not in _INSIDE for end in sweep.ends)
    length = high - low or abs(high) * 0.2 or 1.0
    margins = [0.07 * length, (0.16 if has_edge else 0.07) * length]  # at the better, worse end
    is_minimized = sweep.config.goal is Goal.MINIMIZE
    below, above = margins if is_minimized else reversed(margins)
    axes.set_ylim(low - below, high + above)
    at_edge = blended_transform_factory(axes.transData, axes.transAxes)
    edge = 0.96 if is_minimized else 0.04  # of the axis
    for end, style in _MARKS.items():
        chosen = [trial for trial, found in enumerate(sweep.ends) if found == end]
        if not chosen:
            continue
        if end in _INSIDE:
            heights, where = [sweep.known[trial] for trial in chosen], axes.transData
        else:
            heights, where = [edge] * len(chosen), at_edge
        if end == "beyond the axis":
            style = style | {"marker": "^" if is_minimized else "v"}
        x = [places[trial] for trial in chosen]
        axes.plot(x, heights, ls="", label=end, transform=where, clip_on=False, zorder=3, **style)


def _add_legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    add_legend(figure, dict(zip(labels, handles, strict=True)))


def _importance(importances: Sequence[Importance], width: float) -> Figure:
    """Draw a bar for each parameter, the most important at the top."""
    count = len(importances)
    figure = new_figure(width, 0.7 + 0.22 * count)
    axes = figure.subplots()
    axes.barh(range(count), [i.mean for i in importances], height=0.65, color=_TRIAL, alpha=0.35)
    for place, found in enumerate(importances):
        ends = [found.low, found.high]
        axes.plot(ends, [place, place], color=_TRIAL, marker="|", ms=5, lw=1.2)
    names = [shorten(found.name, name_letters(width)) for found in importances]
    axes.set_yticks(range(count), names)
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_xlim(0, 1.05 * max(max(found.mean, found.high) for found in importances))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    figure.supxlabel("share of the variance, with 95 % interval")
    return figure


def _slices(sweep: SweepData, width: float) -> Figure:
    """Draw the objective against each parameter."""
    columns = column_count(width, len(sweep.axes), _LEAST_PANEL_IN)
    length = (width - 0.6) / columns - 0.2
    depths = [label_depth(axis, length) for axis in sweep.axes]
    lines = [max(depths[start : start + columns]) for start in range(0, len(depths), columns)]
    figure = new_figure(width, sum(_PANEL_IN + 0.3 + depth for depth in lines))
    panels = figure.subplots(len(lines), columns, sharey=True, squeeze=False)
    for panel in panels.flat[len(sweep.axes) :]:
        panel.remove()
    for panel, axis in zip(panels.flat, sweep.axes, strict=False):
        set_axis(panel, axis, length)
        _scatter(panel, sweep, axis.positions)
        place = axis.positions[sweep.best]
        panel.plot([place], [sweep.known[sweep.best]], ls="", label="best", **_BEST_MARK)
        panel.set_xlabel(shorten(axis.name, int(length / LETTER_IN)))
    figure.supylabel(sweep.metric)
    _add_legend(figure, panels.flat[0])
    return figure


def _expected_best(sweep: SweepData, width: float) -> Figure:
    """Draw the best objective to expect of fewer trials."""
    values = list(sweep.known.values())
    expected = expected_best(values, sweep.config.goal)
    figure = new_figure(width, 2.4)
    axes = figure.subplots()
    # The band is cut at the range of the objectives, which no order of the trials leaves.
    low = np.maximum(expected.mean - expected.std, min(values))
    high = np.minimum(expected.mean + expected.std, max(values))
    axes.fill_between(
        expected.trials, low, high, color=_TRIAL, alpha=0.2, lw=0, label="± standard deviation"
    )
    mark = "o" if len(values) == 1 else None  # a line of one point is invisible
    axes.plot(expected.trials, expected.mean, color=_TRIAL, lw=1.3, marker=mark, label="mean")
    least, greatest = np.clip([low.min(), high.max()], *sweep.span)
    margin = 0.07 * (greatest - least) or abs(least) * 0.1 or 1.0
    axes.set_ylim(least - margin, greatest + margin)
    margin = max(0.5, 0.03 * len(values))
    axes.set_xlim(1 - margin, len(values) + margin)
    axes.set_xlabel("trials with a value")
    axes.set_ylabel(f"best {sweep.metric}")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    is_independent = sweep.config.method == "random"
    title = "Best of random trials" if is_independent else "If these trials came in random order"
    axes.set_title(title)
    _add_legend(figure, axes)
    return figure
