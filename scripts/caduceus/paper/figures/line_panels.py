"""Panels of lines, in which a variant has the same colour and dashes everywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caduceus.paper.figures.layout import (
    add_legend,
    column_count,
    new_panels,
    number_ticks,
    set_panel_height,
)
from caduceus.paper.figures.style import band_alpha, line_style

HEIGHT_IN = 1.45  # height of a panel in inches
_AXIS_IN = 0.6  # width of its y axis's labels in inches


@dataclass(frozen=True)
class LinePanels:
    """A figure with panels of lines.

    Attributes:
        figure: all of it.
        all_axes: the panels.
        length: the width of a panel in inches.
        styles: keyword arguments for the line of each label.
        handles: the legend's artists by label, added while drawing.
    """

    figure: Figure
    all_axes: Sequence[Axes]
    length: float
    styles: Mapping[str, Mapping[str, Any]]
    handles: dict[str, Any] = field(default_factory=dict)

    @property
    def band_alpha(self) -> float:
        """The opacity of a band."""
        return band_alpha(len(self.styles))

    def finish(self) -> Figure:
        """Add ticks and the legend, and set the panels' height."""
        for axes in self.all_axes:
            number_ticks(axes.xaxis, self.length)
        add_legend(self.figure, self.handles)
        set_panel_height(self.figure, self.all_axes, HEIGHT_IN)
        return self.figure


def line_panels(width: float, panels: Sequence[Mapping[str, Any]], least_in: float) -> LinePanels:
    """Create a figure with a panel for each of `panels`.

    Args:
        width: of the figure, in inches.
        panels: each has `lines`, and each line a `label`.
        least_in: least width of a panel in inches, with its axis.
    """
    columns = column_count(width, len(panels), least_in)
    figure, all_axes = new_panels(width, len(panels), columns, HEIGHT_IN)
    for axes in all_axes:
        axes.grid(axis="y")
    labels = dict.fromkeys(line["label"] for panel in panels for line in panel["lines"])
    styles = {label: line_style(place) for place, label in enumerate(labels)}
    return LinePanels(figure, all_axes, width / columns - _AXIS_IN, styles)
