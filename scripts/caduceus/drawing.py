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
_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=COLOURS),
    "legend.frameon": False,
    "pdf.fonttype": 42,  # fonts embedded as text that journals accept
    "svg.hashsalt": "caduceus",  # element ids would be random
    "svg.fonttype": "none",
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
