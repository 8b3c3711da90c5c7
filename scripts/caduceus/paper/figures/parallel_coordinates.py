"""Draw a sweep's parallel coordinates: a line for each trial across the parameters' axes."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from caduceus.paper.figures.layout import add_legend
from caduceus.paper.figures.parameter_axes import (
    LETTER_IN,
    ParameterAxis,
    label_depth,
    name_letters,
    set_axis,
    shorten,
)
from caduceus.paper.figures.style import new_figure
from caduceus.paper.figures.sweep_data import BEST_COLOUR, SweepData
from caduceus.runs.goal import Goal

_MARGINS_IN = 0.5  # inches left of the names and right of the axes, together
_PITCH_IN = 0.36  # distance of the axes in inches, without the labels between them
_BAR_IN = 0.11  # height of the colour bar in inches


def draw_parallel_coordinates(sweep: SweepData, width: float) -> Figure:
    """Draw a sweep that has trials and varying parameters, `width` inches wide.

    The axes lie one below the other, which leaves room for long names and many values. The last
    one is the objective, a bar in the colours of the lines. If no trial has an objective, all lines
    are grey.
    """
    letters = name_letters(width)
    length = width - letters * LETTER_IN - _MARGINS_IN
    depths = [_PITCH_IN + label_depth(axis, length) for axis in sweep.axes]
    heights = np.concatenate(([0.0], np.cumsum(depths)))  # inches below the first axis
    total = heights[-1] + (_BAR_IN if sweep.known else 0.0)
    figure = new_figure(width, total + 0.6)
    host = figure.subplots()
    host.set(xlim=(0, 1), ylim=(total, -0.05))
    host.axis("off")
    for axis, height in zip(sweep.axes, heights, strict=False):
        _draw_axis(host, axis, height, length, letters)
    mappable = _colours(sweep)
    _draw_lines(host, sweep, heights, mappable)
    if sweep.known:
        bar = host.inset_axes((0, heights[-1], 1, _BAR_IN), transform=host.transData)
        figure.colorbar(mappable, cax=bar, orientation="horizontal")
        bar.tick_params(length=2, pad=1.5)
        beyond = sweep.ends.count("beyond the axis")
        bar.set_xlabel(sweep.metric + (f" ({beyond} beyond the axis)" if beyond else ""))
    elif sweep.gap:
        figure.supxlabel(sweep.gap)
    handles, labels = host.get_legend_handles_labels()
    add_legend(figure, dict(zip(labels, handles, strict=True)))
    return figure


def _draw_axis(host: Axes, axis: ParameterAxis, height: float, length: float, letters: int) -> None:
    axes = host.inset_axes((0, height, 1, 1e-3), transform=host.transData)
    axes.patch.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    set_axis(axes, axis, length)
    for label in axes.get_xticklabels():  # keeps them readable above the lines
        label.set_bbox({"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.4})
    axes.set_ylabel(shorten(axis.name, letters), rotation=0, ha="right", va="center")


def _draw_lines(
    host: Axes, sweep: SweepData, heights: np.ndarray, mappable: ScalarMappable
) -> None:
    """Draw the trials: those without an objective first, then from worst to best."""
    places = np.array([axis.fractions() for axis in sweep.axes]).T
    in_legend: set[str] = set()
    for trial, end in enumerate(sweep.ends):
        if trial not in sweep.known:
            label = None if end in in_legend else end
            host.plot(places[trial], heights[:-1], color="0.6", lw=0.8, ls=":", label=label)
            in_legend.add(end)
    sign = sweep.config.goal.sign
    for trial in sorted(sweep.known, key=lambda trial: -sign * sweep.known[trial]):
        share = np.clip(mappable.norm(np.array(sweep.known[trial])), 0, 1)
        line = [*places[trial], share]
        host.plot(line, heights, color=mappable.cmap(float(share)), lw=0.8, alpha=0.7)
        if trial == sweep.best:
            host.plot(line, heights, color=BEST_COLOUR, lw=2, zorder=3, label="best")


def _colours(sweep: SweepData) -> ScalarMappable:
    """Map good objectives to dark colours of viridis, which is even with any colour vision."""
    shades = colormaps["viridis"](
        np.linspace(0, 0.93, 256)
    )  # without the last yellow, hard to see on white
    low, high = sweep.span if sweep.known else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    shades = shades if sweep.config.goal is Goal.MINIMIZE else shades[::-1]
    return ScalarMappable(Normalize(low, high), ListedColormap(shades))
