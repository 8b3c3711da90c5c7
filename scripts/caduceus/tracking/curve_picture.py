"""The picture of a run's curves, in four panels."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from caduceus.tracking.curve_points import PANELS

Curve = tuple[Sequence[float], Sequence[float]]  # steps, values


def draw_curves(curves: Mapping[str, Curve]) -> Image.Image:
    """Draw loss, accuracy, test accuracy and learning rate over the steps.

    Args:
        curves: by metric; a panel without any of its metrics says that they aren't logged.
    """
    figure = Figure(figsize=(8, 5.2), dpi=100)
    figure.subplots_adjust(0.1, 0.09, 0.98, 0.94, 0.27, 0.4)  # a layout engine takes 0.1 s
    canvas = FigureCanvasAgg(figure)
    for axes, (title, metrics, logarithmic) in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
        axes.set_title(title)
        axes.set_xlabel("step")
        drawn = [metric for metric in metrics if metric in curves]
        for metric in drawn:
            steps, values = curves[metric]
            axes.plot(steps, values, label=metric, marker="." if len(steps) < 50 else None)
        if not drawn:
            axes.text(0.5, 0.5, "not logged", ha="center", va="center", transform=axes.transAxes)
        elif logarithmic and all(value > 0 for metric in drawn for value in curves[metric][1]):
            axes.set_yscale("log")
        else:
            axes.ticklabel_format(axis="y", scilimits=(-2, 4))
        if len(drawn) > 1:
            axes.legend()
        axes.grid(alpha=0.3)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return Image.fromarray(pixels).convert("RGB")
