"""The style of all figures, and their files: the same data give the same bytes."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe & Ito 2008: distinguishable with any kind of colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
GREY = "0.45"
# In points; figures are drawn in the size in which they are printed.
TITLE_SIZE, LABEL_SIZE, TICK_SIZE = 10, 9, 8
_LINE_COLOURS = COLOURS[:7]  # without yellow, which is invisible on white
_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1.2, 1, 1.2)))
_STYLE: Any = {
    # STIX is the typeface of most papers. Times, with the same widths, is the fallback where it is
    # missing; DejaVu has the letters that it lacks.
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
    "pdf.fonttype": 42,  # TrueType; journals reject Type 3 fonts
    "svg.hashsalt": "caduceus",  # else element ids are random
    "svg.fonttype": "path",  # text as paths: another font of the browser would be wider
}
_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {},
}


def house_style() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws in the style of all figures."""
    style: AbstractContextManager[None] = matplotlib.rc_context(_STYLE)
    return style


def line_style(place: int) -> dict[str, Any]:
    """Return colour and dashes of the line at `place`; the first 28 differ."""
    dashes, colour = divmod(place, len(_LINE_COLOURS))
    return {"color": _LINE_COLOURS[colour], "ls": _DASHES[dashes % len(_DASHES)]}


def band_alpha(lines: int) -> float:
    """Return the opacity of a line's band, among `lines` lines."""
    return 0.2 if lines <= 8 else 0.1


def new_figure(width: float, height: float) -> Figure:
    """Create a figure of this size in inches, with constrained layout."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, folder: Path, name: str) -> None:
    """Write NAME.pdf, NAME.svg and NAME.png into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with house_style():  # layout is slower than drawing: it is done once for all three files
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for kind, metadata in _METADATA.items():
        part = folder / f".{name}.part.{kind}"
        with house_style():
            figure.savefig(part, format=kind, metadata=metadata, dpi=200)
        part.replace(folder / f"{name}.{kind}")
