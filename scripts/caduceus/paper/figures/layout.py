"""Lay out a figure for a paper's page: its width, panels, labels, title and legend."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.ticker import EngFormatter, MaxNLocator

from caduceus.paper.figures.style import TICK_SIZE, TITLE_SIZE, new_figure

# Inches. NeurIPS has a single column: `column` is the width of two figures side by side.
WIDTHS = {
    "neurips": {"column": 2.7, "text": 5.5},
    "icml": {"column": 3.25, "text": 6.75},
    "ieee": {"column": 3.5, "text": 7.16},
}
_SPACING = 1.2  # line spacing in font sizes; STIX's own is larger
LINE_IN = TICK_SIZE * _SPACING / 72  # inches
_TITLE_LINE_IN = TITLE_SIZE * _SPACING / 72
_EDGE_IN = 0.12  # inches left free at the sides of a legend or a title
_PADDING_IN = 2 / 24  # inches above and below them, matplotlib's default
_HANDLE_IN = 0.5  # width of a handle of the legend in inches
_LABELS_IN = 0.8  # inches for the labels around a panel, a guess for the first layout
_TICK_IN = 0.42  # width of a tick with its label in inches
_BREAKS = re.compile(r" |(?<=[,;=/_.:-])(?! )")  # where a label may be broken


def new_panels(
    width: float, count: int, columns: int, height_in: float
) -> tuple[Figure, list[Axes]]:
    """Create a figure of `count` panels, to be drawn in before `set_panel_height`.

    Args:
        width: of the figure, in inches.
        count: of the panels.
        columns: panels side by side.
        height_in: of each panel, in inches.
    """
    rows = -(-count // columns)
    figure = new_figure(width, rows * (height_in + _LABELS_IN))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[count:]:
        axes.remove()
    return figure, list(grid.flat[:count])


def column_count(width: float, count: int, least_in: float, labels_in: float = 0) -> int:
    """Return how many of `count` panels fit side by side, with rows filled evenly."""
    most = max(1, int((width - labels_in) / least_in))
    rows = -(-count // most)
    return -(-count // rows)


def set_panel_height(
    figure: Figure, all_axes: Sequence[Axes], height_in: float | None = None
) -> None:
    """Change the figure's height so that the frame of its first panel is `height_in` inches high.

    The others have that height too, or the height that the grid's ratios give them.
    The labels around the panels don't change their height, so one pass of the layout suffices.

    Args:
        figure: everything is drawn but its title.
        all_axes: its panels.
        height_in: None for square panels, whose aspect must not be set yet.
    """
    for text in figure.findobj(Text):
        if "\n" in text.get_text():
            text.set_linespacing(_SPACING)
    layout: Any = figure.get_layout_engine()
    layout.execute(figure)
    frame = all_axes[0].get_position()
    wanted = frame.width * figure.get_figwidth() if height_in is None else height_in
    grid: Any = all_axes[0].get_gridspec()
    ratios = grid.get_height_ratios()
    rows = sum(ratios) / ratios[0]
    grow(figure, rows * (wanted - frame.height * figure.get_figheight()))


def grow(figure: Figure, inches: float) -> None:
    """Increase the height of a figure."""
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + inches)


def add_title(figure: Figure, title: str) -> None:
    """Put a title above all panels and grow the figure by its height."""
    if title:
        text = wrap(title, figure.get_figwidth() - _EDGE_IN, TITLE_SIZE)
        figure.suptitle(text, linespacing=_SPACING)
        grow(figure, (text.count("\n") + 1) * _TITLE_LINE_IN + _PADDING_IN)


def add_legend(figure: Figure, handles: Mapping[str, Any]) -> None:
    """Put a legend below all panels, in as few rows as fit, and grow the figure by its height."""
    if not handles:
        return
    available = figure.get_figwidth() - _EDGE_IN
    names = [wrap(name, available - _HANDLE_IN, TICK_SIZE) for name in handles]
    canvas: Any = figure.canvas
    renderer = canvas.get_renderer()
    for rows in range(1, len(names) + 1):
        columns = -(-len(names) // rows)
        legend = figure.legend(handles.values(), names, loc="outside lower center", ncols=columns)
        box = legend.get_window_extent(renderer)
        if columns == 1 or box.width / figure.dpi <= available:
            break
        legend.remove()
    grow(figure, box.height / figure.dpi + _PADDING_IN)


def number_ticks(axis: Any, length_in: float) -> None:
    """Give an axis of `length_in` inches as many ticks as fit; numbers from 10,000 end with k."""
    axis.set_major_locator(
        MaxNLocator(max(2, min(6, int(length_in / _TICK_IN))), steps=(1, 2, 2.5, 5, 10))
    )
    if max(map(abs, axis.get_view_interval())) >= 10_000:
        axis.set_major_formatter(EngFormatter(sep=""))


def wrap(text: str, width_in: float, size: float) -> str:
    """Break `text` into lines of at most `width_in` inches, set in `size` points.

    Lines break at spaces or after signs such as `=` and `_`, and inside a word only if the word
    alone is too long. $ is escaped, so that matplotlib doesn't read mathematics.
    """
    lines = [""]
    for word in _pieces(text, width_in, size):
        if lines[-1] and text_width((lines[-1] + word).rstrip(), size) > width_in:
            lines.append("")
        lines[-1] += word if lines[-1] else word.lstrip()
    return "\n".join(line.rstrip() for line in lines).replace("$", r"\$")


def text_width(text: str, size: float) -> float:
    """Return the width of `text` in inches, in the house style and `size` points."""
    font = FontProperties(size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def _pieces(text: str, width_in: float, size: float) -> list[str]:
    """Split `text` where a line may break, into pieces of at most `width_in` inches."""
    text = " ".join(text.split())
    ends = [match.end() for match in _BREAKS.finditer(text)]
    pieces = []
    for start, end in zip([0, *ends], [*ends, len(text)], strict=True):
        piece = text[start:end]
        while len(piece) > 1 and text_width(piece.rstrip(), size) > width_in:
            shorter = range(len(piece) - 1, 0, -1)
            fits = next(n for n in shorter if n == 1 or text_width(piece[:n], size) <= width_in)
            pieces.append(piece[:fits])
            piece = piece[fits:]
        pieces.append(piece)
    return pieces
