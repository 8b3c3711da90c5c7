"""The files of a figure that couldn't be made: they say so, and look like no figure."""

import textwrap
from pathlib import Path

from matplotlib.patches import Rectangle

from caduceus.io.files import Json, write_json
from caduceus.io.phrases import printable
from caduceus.paper.figures.captions import caption_files, write_caption
from caduceus.paper.figures.style import COLOURS, LABEL_SIZE, house_style, new_figure, write_figure
from caduceus.project.paper import FigureEntry

_LETTER_IN = 0.068  # about the width of a letter
_LINE_IN = 0.16  # the distance of two lines
_EDGE_IN = 0.12


def figure_files(out: Path) -> list[Path]:
    """Return the files of a figure, one of which is `out`."""
    drawn = [out.with_name(f"{out.stem}.{kind}") for kind in ("json", "pdf", "svg", "png")]
    return [*drawn, *caption_files(out)]


def write_failed_numbers(entry: FigureEntry, out: Path, error: str) -> None:
    """Write NAME.json with the error and without numbers, and it as the caption."""
    about = {"name": out.stem, "kind": entry.kind, "title": entry.title}
    empty: dict[str, Json] = {"caption": f"Failed: {error}", "runs": [], "numbers": {}}
    write_json(out, about | empty | {"error": error})
    write_caption(out, entry.title, f"Failed: {error}")


def draw_failed(out: Path, width: float, error: str) -> None:
    """Write NAME.pdf, NAME.svg and NAME.png: a box with the error, `width` inches wide."""
    letters = max(10, int((width - 4 * _EDGE_IN) / _LETTER_IN))
    heading = f"THIS IS NO FIGURE: {out.stem} failed"
    headings = textwrap.wrap(heading, int(0.85 * letters))  # bold letters are wider
    lines = textwrap.wrap(printable(" ".join(error.split())), letters)
    height = _LINE_IN * (len(headings) + len(lines) + 1) + 4 * _EDGE_IN
    with house_style():
        figure = new_figure(width, height)
        figure.set_layout_engine("none")
        left, bottom = _EDGE_IN / width, _EDGE_IN / height
        colour = COLOURS[1]
        box = Rectangle((left, bottom), 1 - 2 * left, 1 - 2 * bottom, fill=False, edgecolor=colour)
        box.set(linewidth=2, linestyle="--", transform=figure.transFigure)
        figure.add_artist(box)
        for place, line in enumerate([*headings, "", *lines]):
            top = 1 - (2 * _EDGE_IN + place * _LINE_IN) / height
            text = figure.text(2 * left, top, line, va="top", size=LABEL_SIZE)
            text.set(parse_math=False, weight="bold" if place < len(headings) else "normal")
    write_figure(figure, out.parent, out.stem)
