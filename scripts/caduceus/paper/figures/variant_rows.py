"""Panels side by side that share rows, one for each variant, labelled at the left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caduceus.paper.figures.layout import (
    LINE_IN,
    add_legend,
    column_count,
    new_panels,
    number_ticks,
    set_panel_height,
    text_width,
    wrap,
)
from caduceus.paper.figures.style import GREY, LABEL_SIZE, TICK_SIZE

_LEAST_IN = 1.25  # least width of a panel in inches
_MOST_SHARE = 0.4  # of the page's width, for the labels of rows
_GAP_IN = 0.15  # inches between panels, and from labels to panels
_LEAST_PITCH_IN = 0.2  # least distance of rows in inches


@dataclass(frozen=True)
class RowPanels:
    """A figure with panels of rows, each `length` inches wide and `height` inches high."""

    figure: Figure
    all_axes: Sequence[Axes]
    length: float
    height: float

    def finish(self, handles: Mapping[str, Any]) -> Figure:
        """Add ticks and the legend, and set the panels' height."""
        for axes in self.all_axes:
            number_ticks(axes.xaxis, self.length)
        add_legend(self.figure, handles)
        set_panel_height(self.figure, self.all_axes, self.height)
        return self.figure


def row_panels(width: float, panels: Sequence[Mapping[str, Any]]) -> RowPanels:
    """Create a figure with a panel for each of `panels`, and a row for each of its `rows`.

    Rows lie at y = 0, 1, 2, ... from the top. Their `label`s stand at the left of each row of
    panels; the `heading` of a panel stands below it.
    """
    most = _MOST_SHARE * width
    labels = [wrap(row["label"], most, TICK_SIZE) for row in panels[0]["rows"]]
    lines = [line for label in labels for line in label.split("\n")]
    labels_in = max(text_width(line, TICK_SIZE) for line in lines) + _GAP_IN
    columns = column_count(width, len(panels), _LEAST_IN, labels_in)
    length = (width - labels_in) / columns - _GAP_IN
    headings = [wrap(panel["heading"], length, LABEL_SIZE) for panel in panels]
    pitch = max(
        _LEAST_PITCH_IN, max(label.count("\n") + 1 for label in labels) * LINE_IN + _GAP_IN / 2
    )
    height = len(labels) * pitch
    figure, all_axes = new_panels(width, len(panels), columns, height)
    for place, (axes, heading) in enumerate(zip(all_axes, headings, strict=True)):
        axes.grid(axis="x")
        axes.set_xlabel(heading)
        axes.set_yticks(range(len(labels)), labels if place % columns == 0 else [""] * len(labels))
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
    return RowPanels(figure, all_axes, length, height)


def note_missing(axes: Axes, place: int) -> None:
    """Write "no result" into a row."""
    at = ("axes fraction", "data")
    axes.annotate("no result", (0.02, place), xycoords=at, va="center", size=TICK_SIZE, color=GREY)
