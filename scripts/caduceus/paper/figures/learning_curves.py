"""Learning curves: a statistic over the seeds at each step, with its interval as a band."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from caduceus.errors import SpecError
from caduceus.paper.figures.figure_data import Content, FigureData, rounded, run_count
from caduceus.paper.figures.history_curves import read_curves
from caduceus.paper.figures.layout import wrap
from caduceus.paper.figures.line_panels import HEIGHT_IN, line_panels
from caduceus.paper.figures.style import LABEL_SIZE
from caduceus.project.paper_selections import metric_name
from caduceus.statistics.curves import align, estimate_steps

_MOST_STEPS = 500  # of a curve: more than a printed column has dots
_LEAST_IN = 1.7  # inches that a panel is wide at least, with its axis
_MOST_BAND = 0.4  # of the span of all lines, what their bands may add to it at either end
_MARGIN = 0.04  # of an axis, what is free at either end


def measure_curves(data: FigureData) -> Content:
    """The curves of each variant, for each metric.

    Where runs of a variant log at different steps, each is taken to be straight between its rows.
    At a step count the runs that have begun and not ended there. Of more than 500 steps, so many
    are drawn, evenly chosen.

    Raises:
        SpecError: no run logs one of the metrics.
    """
    names = {heading: metric_name(metric) for heading, metric in data.metrics.items()}
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
            found = {
                result.run: curves[result.run][name]
                for result in variant.results
                if result.run in curves and len(curves[result.run][name][0])
            }
            if not found:
                continue
            runs |= dict.fromkeys(found)
            steps, values = align(list(found.values()), _MOST_STEPS)
            n, value, low, high = estimate_steps(values * data.scale, data.statistics)
            low[n == 1], high[n == 1] = np.nan, np.nan
            counts |= set(n.astype(int).tolist())
            lines.append(
                {"label": label, "experiment": variant.experiment, "variant": variant.name}
                | {"runs": list(found), "steps": steps.tolist(), "n": n.astype(int).tolist()}
                | {"value": rounded(value), "low": rounded(low), "high": rounded(high)}
            )
        if not lines and not any(result.number(name) is not None for result in data.finished):
            raise SpecError(f"metrics.{heading}: no run logs {name!r}", data.where)
        panels.append({"heading": data.titled(heading), "metric": name, "lines": lines})
    if not runs:  # all have diverged before their first row
        return Content(" ".join(data.failures()), [], {})
    return Content(_caption(data, counts), list(runs), {"panels": panels})


def _caption(data: FigureData, counts: Collection[int]) -> str:
    sentence = f"At each step: {data.method(counts)}, over {run_count(counts)}."
    return " ".join([sentence, *data.failures()])


def draw_curves(numbers: Mapping[str, Any], width: float) -> Figure:
    """A panel for each metric, a line and a band for each variant."""
    panels = numbers["panels"]
    shown = line_panels(width, panels, _LEAST_IN)
    for axes, panel in zip(shown.all_axes, panels, strict=True):
        for line in panel["lines"]:
            style = shown.styles[line["label"]]
            steps, value, low, high = (
                np.array(line[name], dtype=float) for name in ("steps", "value", "low", "high")
            )
            marker = "o" if len(steps) == 1 else None  # a line of one point isn't seen
            [handle] = axes.plot(steps, value, marker=marker, ms=3, **style)
            shown.handles.setdefault(line["label"], handle)
            alpha = shown.band_alpha
            axes.fill_between(steps, low, high, color=style["color"], alpha=alpha, lw=0)
        if panel["lines"]:
            axes.set_ylim(*_limits(panel["lines"]))
        axes.set_xlabel("step")
        axes.set_ylabel(wrap(panel["heading"], HEIGHT_IN, LABEL_SIZE))
    return shown.finish()


def _limits(lines: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Where the axis of values begins and ends.

    All lines are inside. Bands of few runs can be many times as wide as what the lines span: they
    are cut off where they would press it together.
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
