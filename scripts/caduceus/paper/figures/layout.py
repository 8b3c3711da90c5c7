"""How a figure is laid out on a paper's page: its width, panels, labels and legend."""

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

# Inches. NeurIPS prints one column; half of it, less a gap, is the place of two figures abreast.
WIDTHS = {
    "neurips": {"column": 2.7, "text": 5.5},
    "icml": {"column": 3.25, "text": 6.75},
    "ieee": {"column": 3.5, "text": 7.16},
}
_SPACING = 1.2  # from one line of text to the next, in font sizes; STIX itself asks for more
LINE_IN = TICK_SIZE * _SPACING / 72  # inches
_TITLE_LINE_IN = TITLE_SIZE * _SPACING / 72
_EDGE_IN = 0.12  # inches left free beside a legend or a title
_PADDING_IN = 2 / 24  # inches above and below it, as matplotlib lays it out
_HANDLE_IN = 0.5  # inches that a legend takes before a name
_ROOM_IN = 0.8  # inches for what is written around a panel, for a first layout
_TICK_IN = 0.42  # inches that a tick with its label takes
_ENDS = re.compile(r" |(?<=[,;=/_.:-])(?! )")  # after which a label may be broken


def new_panels(
    width: float, count: int, columns: int, height_in: float
) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels, to draw in before `set_panel_height`.

    Args:
        width: of the figure, in inches.
        count: how many.
        columns: how many stand side by side.
        height_in: inches that each will be high.
    """
    lines = -(-count // columns)
    figure = new_figure(width, lines * (height_in + _ROOM_IN))
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes in grid.flat[count:]:
        axes.remove()
    return figure, list(grid.flat[:count])


def column_count(width: float, count: int, least_in: float, labels_in: float = 0) -> int:
    """How many of `count` panels stand side by side; lines are filled evenly."""
    most = max(1, int((width - labels_in) / least_in))
    lines = -(-count // most)
    return -(-count // lines)


def set_panel_height(
    figure: Figure, all_axes: Sequence[Axes], height_in: float | None = None
) -> None:
    """Make a figure so high that each panel is `height_in` inches high inside its frame.

    What is written around the panels is as high as it is, so that one look at the layout tells.

    Args:
        figure: with all that is drawn, but its title.
        all_axes: its panels.
        height_in: as high as they are wide if it is None; for that the aspect is still to be set.
    """
    for text in figure.findobj(Text):
        if "\n" in text.get_text():
            text.set_linespacing(_SPACING)
    layout: Any = figure.get_layout_engine()
    layout.execute(figure)
    place = all_axes[0].get_position()
    wanted = place.width * figure.get_figwidth() if height_in is None else height_in
    grid: Any = all_axes[0].get_gridspec()
    lines = grid.nrows
    grow(figure, lines * (wanted - place.height * figure.get_figheight()))


def grow(figure: Figure, inches: float) -> None:
    """Make a figure higher."""
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + inches)


def add_title(figure: Figure, title: str) -> None:
    """Put a title above all panels, and make the figure higher by it."""
    if title:
        text = wrap(title, figure.get_figwidth() - _EDGE_IN, TITLE_SIZE)
        figure.suptitle(text, linespacing=_SPACING)
        grow(figure, (text.count("\n") + 1) * _TITLE_LINE_IN + _PADDING_IN)


def add_legend(figure: Figure, handles: Mapping[str, Any]) -> None:
    """Put a legend below all panels, in as few lines as fit, and make the figure higher by it."""
    if not handles:
        return
    room = figure.get_figwidth() - _EDGE_IN
    names = [wrap(name, room - _HANDLE_IN, TICK_SIZE) for name in handles]
    canvas: Any = figure.canvas
    renderer = canvas.get_renderer()
    for lines in range(1, len(names) + 1):
        columns = -(-len(names) // lines)
        legend = figure.legend(handles.values(), names, loc="outside lower center", ncols=columns)
        box = legend.get_window_extent(renderer)
        if columns == 1 or box.width / figure.dpi <= room:
            break
        legend.remove()
    grow(figure, box.height / figure.dpi + _PADDING_IN)


def number_ticks(axis: Any, length_in: float) -> None:
    """Give an axis of `length_in` inches as many ticks as have room; large numbers end with k."""
    axis.set_major_locator(
        MaxNLocator(max(2, min(6, int(length_in / _TICK_IN))), steps=(1, 2, 2.5, 5, 10))
    )
    if max(map(abs, axis.get_view_interval())) >= 10_000:
        axis.set_major_formatter(EngFormatter(sep=""))


def wrap(text: str, width_in: float, size: float) -> str:
    """`text` broken into lines of at most `width_in` inches, set in `size` points.

    It is broken at spaces or after signs such as `=` and `_`, and inside a word only if that alone
    is too long. What stands between two $ isn't set as mathematics.
    """
    lines = [""]
    for word in _pieces(text, width_in, size):
        if lines[-1] and text_width((lines[-1] + word).rstrip(), size) > width_in:
            lines.append("")
        lines[-1] += word if lines[-1] else word.lstrip()
    return "\n".join(line.rstrip() for line in lines).replace("$", r"\$")


def text_width(text: str, size: float) -> float:
    """How many inches wide `text` is in the house style, set in `size` points."""
    font = FontProperties(size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def _pieces(text: str, width_in: float, size: float) -> list[str]:
    """What a line may end after; none is wider than `width_in` inches."""
    text = " ".join(text.split())
    ends = [match.end() for match in _ENDS.finditer(text)]
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
