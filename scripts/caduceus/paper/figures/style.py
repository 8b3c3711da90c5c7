"""The look of all figures, and how they are written: the same data give the same bytes."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe & Ito 2008: told apart with any kind of colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
GREY = "0.45"
# Points: figures are drawn in the size in which they are printed.
TITLE_SIZE, LABEL_SIZE, TICK_SIZE = 10, 9, 8
_LINE_COLOURS = COLOURS[:7]  # a yellow line isn't seen on white
_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1.2, 1, 1.2)))
_STYLE: Any = {
    # The papers' own face. Times has its widths, for whoever opens an SVG without STIX; DejaVu has
    # the letters that it lacks.
    "font.family": ["serif", "DejaVu Sans"],
    "font.serif": ["STIXGeneral", "Times New Roman", "Times"],
    "mathtext.fontset": "stix",
    "font.size": LABEL_SIZE,
    "axes.labelsize": LABEL_SIZE,
    "axes.titlesize": LABEL_SIZE,
    "figure.titlesize": TITLE_SIZE,
    "figure.labelsize": LABEL_SIZE,
    "xtick.labelsize": TICK_SIZE,
    "ytick.labelsize": TICK_SIZE,
    "legend.fontsize": TICK_SIZE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=COLOURS),
    "grid.color": "0.9",
    "grid.linewidth": 0.5,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "legend.columnspacing": 1.2,
    "legend.handletextpad": 0.5,
    "legend.borderpad": 0.1,
    "legend.labelspacing": 0.3,
    "pdf.fonttype": 42,  # fonts embedded as text that journals accept
    "svg.hashsalt": "caduceus",  # element ids would be random
    "svg.fonttype": "path",  # a browser without the font would draw another one, and wider
}
_NO_DATES: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {},
}


def house_style() -> AbstractContextManager[None]:
    """A block in which matplotlib draws as all figures here look."""
    style: AbstractContextManager[None] = matplotlib.rc_context(_STYLE)
    return style


def line_style(place: int) -> dict[str, Any]:
    """Colour and dashes of the line at a place among several: 28 differ."""
    dashes, colour = divmod(place, len(_LINE_COLOURS))
    return {"color": _LINE_COLOURS[colour], "ls": _DASHES[dashes % len(_DASHES)]}


def band_alpha(lines: int) -> float:
    """How opaque the band of one of so many lines is."""
    return 0.2 if lines <= 8 else 0.1


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, in which nothing overlaps."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, folder: Path, name: str) -> None:
    """Write NAME.pdf, NAME.svg and NAME.png into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with house_style():  # the layout takes longer than the drawing: it is found once for all three
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for kind, metadata in _NO_DATES.items():
        part = folder / f".{name}.part.{kind}"
        with house_style():
            figure.savefig(part, format=kind, metadata=metadata, dpi=200)
        part.replace(folder / f"{name}.{kind}")
