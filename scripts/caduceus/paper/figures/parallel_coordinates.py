"""A sweep's parallel coordinates: a line for each trial across the axes of all parameters."""

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
    dress,
    label_depth,
    name_letters,
    shorten,
)
from caduceus.paper.figures.style import new_figure
from caduceus.paper.figures.sweep_data import BEST_COLOUR, ShownSweep
from caduceus.runs.goal import Goal

_MARGINS_IN = 0.5  # inches beside an axis and the names of parameters
_PITCH_IN = 0.36  # inches from one axis to the next, less the labels between
_BAR_IN = 0.11  # inches that the bar of colours is high


def draw_parallel_coordinates(sweep: ShownSweep, width: float) -> Figure:
    """The figure of a sweep with trials and parameters that vary, `width` inches wide.

    The axes lie one below the other, where long names and many values have room. The last one is
    the objective, as a bar of the lines' colours; where no trial has one, all lines are grey.
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
    dress(axes, axis, length)
    for label in axes.get_xticklabels():  # lines run behind them
        label.set_bbox({"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.4})
    axes.set_ylabel(shorten(axis.name, letters), rotation=0, ha="right", va="center")


def _draw_lines(
    host: Axes, sweep: ShownSweep, heights: np.ndarray, mappable: ScalarMappable
) -> None:
    """Draw the trials: those without an objective first, the best one last, on top."""
    places = np.array([axis.fractions() for axis in sweep.axes]).T
    explained: set[str] = set()  # labels that the legend has already
    for trial, end in enumerate(sweep.ends):
        if trial not in sweep.known:
            label = None if end in explained else end
            host.plot(places[trial], heights[:-1], color="0.6", lw=0.8, ls=":", label=label)
            explained.add(end)
    sign = sweep.config.goal.sign
    for trial in sorted(sweep.known, key=lambda trial: -sign * sweep.known[trial]):
        share = np.clip(mappable.norm(np.array(sweep.known[trial])), 0, 1)
        line = [*places[trial], share]
        host.plot(line, heights, color=mappable.cmap(float(share)), lw=0.8, alpha=0.7)
        if trial == sweep.best:
            host.plot(line, heights, color=BEST_COLOUR, lw=2, zorder=3, label="best")


def _colours(sweep: ShownSweep) -> ScalarMappable:
    """Dark for good objectives; viridis grows lighter evenly, with any kind of colour vision."""
    shades = colormaps["viridis"](np.linspace(0, 0.93, 256))  # its last yellow is hard to see
    low, high = sweep.span if sweep.known else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    shades = shades if sweep.config.goal is Goal.MINIMIZE else shades[::-1]
    return ScalarMappable(Normalize(low, high), ListedColormap(shades))
