"""Figures of kind curves: a statistic over the seeds at each step, with its interval as a band."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from caduceus.errors import SpecError
from caduceus.io.phrases import pasted
from caduceus.paper.figures.figure_data import FigureContent, FigureData, rounded, run_count
from caduceus.paper.figures.history_curves import read_curves
from caduceus.paper.figures.layout import wrap
from caduceus.paper.figures.line_panels import HEIGHT_IN, line_panels
from caduceus.paper.figures.style import LABEL_SIZE
from caduceus.runs.metric import Metric
from caduceus.statistics.curves import align, estimate_steps

_MOST_STEPS = 500  # of a curve; a printed column resolves fewer
_LEAST_IN = 1.7  # least width of a panel in inches, with its axis
_MOST_BAND = 0.4  # share of the lines' span that bands may add to the axis at either end
_MARGIN = 0.04  # share of an axis that is left free at either end


def measure_curves(data: FigureData) -> FigureContent:
    """Compute the curve of each variant, for each metric.

    Where runs of a variant log at different steps, values between rows are interpolated linearly.
    At each step, the runs count that have logged before or at it and after or at it. Of more than
    500 steps, 500 evenly spaced ones are drawn.

    Raises:
        SpecError: no run logs one of the metrics.
    """
    names = {heading: metric.name for heading, metric in data.entry.metrics.items()}
    curves = {
        result.run: read_curves(result.folder / "metrics_history.csv", list(names.values()))
        for result in data.finished
    }
    runs: dict[str, None] = {}
    counts: set[int] = set()
    panels = []
    for heading, name in names.items():
        lines = []
        for variant, label in zip(data.variants, data.labels, strict=True):
            by_run = {
                result.run: curves[result.run][name]
                for result in variant.results
                if result.run in curves and len(curves[result.run][name][0])
            }
            if not by_run:
                continue
            runs |= dict.fromkeys(by_run)
            steps, values = align(list(by_run.values()), _MOST_STEPS)
            n, value, low, high = estimate_steps(values * data.scale, data.methods)
            low[n == 1], high[n == 1] = np.nan, np.nan
            counts |= set(n.astype(int).tolist())
            lines.append(
                {"label": label, "experiment": variant.experiment, "variant": variant.name}
                | {"runs": list(by_run), "steps": steps.tolist(), "n": n.astype(int).tolist()}
                | {"value": rounded(value), "low": rounded(low), "high": rounded(high)}
            )
        summarized = Metric(name=name)
        if not lines and all(result.number(summarized) is None for result in data.finished):
            raise SpecError(f"metrics.{heading}: no run logs {pasted(name)}", data.where)
        panels.append({"heading": data.titled(heading), "metric": name, "lines": lines})
    if not runs:  # all runs diverged before their first row
        return FigureContent(" ".join(data.failures()), [], {})
    return FigureContent(_caption(data, counts), list(runs), {"panels": panels})


def _caption(data: FigureData, counts: Collection[int]) -> str:
    sentence = f"At each step: {data.method(counts)}, over {run_count(counts)}."
    return " ".join([sentence, *data.failures()])


def draw_curves(numbers: Mapping[str, Any], width: float) -> Figure:
    """Draw a panel for each metric, with a line and a band for each variant."""
    panels = numbers["panels"]
    layout = line_panels(width, panels, _LEAST_IN)
    for axes, panel in zip(layout.all_axes, panels, strict=True):
        for line in panel["lines"]:
            style = layout.styles[line["label"]]
            steps, value, low, high = (
                np.array(line[name], dtype=float) for name in ("steps", "value", "low", "high")
            )
            marker = "o" if len(steps) == 1 else None  # a line of one point is invisible
            [handle] = axes.plot(steps, value, marker=marker, ms=3, **style)
            layout.handles.setdefault(line["label"], handle)
            alpha = layout.band_alpha
            axes.fill_between(steps, low, high, color=style["color"], alpha=alpha, lw=0)
        if panel["lines"]:
            axes.set_ylim(*_limits(panel["lines"]))
        axes.set_xlabel("step")
        axes.set_ylabel(wrap(panel["heading"], HEIGHT_IN, LABEL_SIZE))
    return layout.finish()


def _limits(lines: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Return the limits of the axis of values.

    They contain all lines. Bands of few runs can be many times wider than the span of the lines;
    they are cut off where they would squash the lines.
    """
    values = np.concatenate([line["value"] for line in lines])
    low, high = values.min(), values.max()
    span = (high - low) or abs(high) or 1.0
    bands = [
        np.concatenate([np.array(line[name], dtype=float) for line in lines])
        for name in ("low", "high")
    ]
    low = max(low - _MOST_BAND * span, np.nanmin([low, *bands[0]]))
    high = min(high + _MOST_BAND * span, np.nanmax([high, *bands[1]]))
    margin = _MARGIN * ((high - low) or span)
    return low - margin, high + margin
