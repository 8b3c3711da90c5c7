"""Panels with a line for each variant, which has one look in all of them."""

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

HEIGHT_IN = 1.45  # inches that a panel is high
_AXIS_IN = 0.6  # inches that its axis of values takes beside it


@dataclass(frozen=True)
class LinePanels:
    """A figure with panels of lines, each `length` inches wide; `styles` are by label.

    `handles` takes what stands in the legend.
    """

    figure: Figure
    all_axes: Sequence[Axes]
    length: float
    styles: Mapping[str, Mapping[str, Any]]
    handles: dict[str, Any] = field(default_factory=dict)

    @property
    def band_alpha(self) -> float:
        """How opaque bands are, among so many."""
        return band_alpha(len(self.styles))

    def finish(self) -> Figure:
        """Add ticks and a legend to what was drawn, and give the panels their height."""
        for axes in self.all_axes:
            number_ticks(axes.xaxis, self.length)
        add_legend(self.figure, self.handles)
        set_panel_height(self.figure, self.all_axes, HEIGHT_IN)
        return self.figure


def line_panels(width: float, panels: Sequence[Mapping[str, Any]], least_in: float) -> LinePanels:
    """A figure with a panel for each of `panels`, for the lines that each lists with its `label`.

    Args:
        width: of the figure, in inches.
        panels: with `lines`.
        least_in: inches that a panel is wide at least, with its axis.
    """
    columns = column_count(width, len(panels), least_in)
    figure, all_axes = new_panels(width, len(panels), columns, HEIGHT_IN)
    for axes in all_axes:
        axes.grid(axis="y")
    labels = dict.fromkeys(line["label"] for panel in panels for line in panel["lines"])
    styles = {label: line_style(place) for place, label in enumerate(labels)}
    return LinePanels(figure, all_axes, width / columns - _AXIS_IN, styles)
