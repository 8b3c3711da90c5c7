"""Figures of kind curves: a statistic over the seeds at each step, with its interval as a band."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from caduceus.errors import SpecError
from caduceus.io.phrases import pasted
from caduceus.paper.axes import (
    axis_label,
    axis_notes,
    check_axis,
    declared_axes,
    undecided_note,
)
from caduceus.paper.figures.figure_data import FigureContent, FigureData, rounded, run_count
from caduceus.paper.figures.history_curves import read_curves
from caduceus.paper.figures.layout import wrap
from caduceus.paper.figures.line_panels import HEIGHT_IN, line_panels
from caduceus.paper.figures.style import LABEL_SIZE
from caduceus.paper.results import logged_by
from caduceus.runs.files.export import STEP
from caduceus.runs.metric import Metric, axis_word, default_axis
from caduceus.runs.unknown_metrics import no_number
from caduceus.statistics.curves import AxisCurve, align, breaks, estimate_steps

_MOST_STEPS = 500  # of a curve; a printed column resolves fewer
_LEAST_IN = 1.7  # least width of a panel in inches, with its axis
_MOST_BAND = 0.4  # share of the lines' span that bands may add to the axis at either end
_MARGIN = 0.04  # share of an axis that is left free at either end


def measure_curves(data: FigureData) -> FigureContent:
    """Compute the curve of each variant, for each metric.

    The axis is that of the entry, else the one that the runs declare for the metric, else the step.
    Where runs of a variant log at other values of it, values between rows are interpolated
    linearly. At each value, the runs count that have logged before or at it and after or at it. Of
    more than 500 values, 500 evenly spaced ones are drawn.

    Raises:
        SpecError: no run logs one of the metrics or the axis, or none in a row with the other.
    """
    names = {heading: metric.name for heading, metric in data.entry.metrics.items()}
    declared = {name: declared_axes(data.finished, name) for name in names.values()}
    notes = []
    if data.entry.axis is not None:
        check_axis(data.entry.axis, data.finished, data.where)
    else:
        notes += [undecided_note(name, found) for name, found in declared.items() if found[1:]]
    axes = {name: data.entry.axis or default_axis(found) for name, found in declared.items()}
    curves = {result.run: read_curves(result.history, axes) for result in data.finished}
    on_axes: dict[str, list[list[AxisCurve]]] = {}  # by axis, of each metric and variant
    panels: list[dict[str, Any]] = []
    for heading, name in names.items():
        logged = [
            {
                result.run: curves[result.run][name]
                for result in variant.results
                if result.run in curves and curves[result.run][name].is_logged
            }
            for variant in data.variants
        ]
        on_axes.setdefault(axes[name], []).extend(list(by_run.values()) for by_run in logged)
        lines = [
            {"label": label, "experiment": variant.experiment, "variant": variant.name} | line
            for variant, label, by_run in zip(data.variants, data.labels, logged, strict=True)
            if (line := _line(by_run, heading, data))
        ]
        if not lines and any(logged):
            raise SpecError(
                f"metrics.{heading}: no row has both {pasted(name)} and its axis "
                f"{pasted(axes[name])}; choose another with the key 'axis', such as {STEP}",
                data.where,
            )
        if not lines:
            _check_divergence(heading, name, data)
        about = {"heading": data.titled(heading), "metric": name, "axis": axes[name]}
        panels.append({**about, "lines": lines})
    lines = [line for panel in panels for line in panel["lines"]]
    if not lines:  # all runs diverged before their first row
        return FigureContent(" ".join(data.failures()), [], {})
    notes += [note for axis, variants in on_axes.items() for note in axis_notes(axis, variants)]
    caption = _caption(data, list(on_axes), {n for line in lines for n in line["n"]}, notes)
    runs = dict.fromkeys(run for line in lines for run in line["runs"])
    return FigureContent(caption, list(runs), {"panels": panels})


def _check_divergence(heading: str, name: str, data: FigureData) -> None:
    """Check that runs have diverged, if a metric has no number in any row.

    Raises:
        SpecError: none has, and the metric isn't logged, or only in the summary.
    """
    summarized = Metric(name=name)
    numbers = [result.number(summarized) for result in data.finished]
    if any(number is not None and not np.isfinite(number) for number in numbers):
        return
    wrong = no_number(summarized, logged_by(data.finished))
    if any(number is not None for number in numbers):
        wrong = (
            f"no row has a number of metric {pasted(name)}, only the summaries have; "
            "show it in a table or a figure of kind bars"
        )
    raise SpecError(f"metrics.{heading}: {wrong}", data.where)


def _line(by_run: Mapping[str, AxisCurve], heading: str, data: FigureData) -> dict[str, Any] | None:
    """Return the statistic over the runs of a variant; None if none has a value on the axis."""
    drawn = {run: curve.curve for run, curve in by_run.items() if len(curve.axis)}
    if not drawn:
        return None
    steps, values = align(list(drawn.values()), _MOST_STEPS)
    n, value, low, high = estimate_steps(values * data.scale(heading), data.methods)
    low[n == 1], high[n == 1] = np.nan, np.nan
    for bound, cut in zip(
        data.entry.metrics[heading].range or (), (np.maximum, np.minimum), strict=False
    ):
        if bound is not None:
            low, high = (cut(end, bound * data.scale(heading)) for end in (low, high))
    return {
        **{"runs": list(drawn), "steps": steps.tolist(), "n": n.astype(int).tolist()},
        **{"value": rounded(value), "low": rounded(low), "high": rounded(high)},
        "breaks": breaks(steps, list(drawn.values())).tolist(),
    }


def _caption(
    data: FigureData, axes: Sequence[str], counts: Collection[int], notes: Sequence[str]
) -> str:
    places = " or ".join(map(axis_word, axes))
    sentence = f"At each {places}: {data.method(counts)}, over {run_count(counts)}."
    return " ".join([sentence, *notes, *data.failures()])


def draw_curves(numbers: Mapping[str, Any], width: float) -> Figure:
    """Draw a panel for each metric, with a line and a band for each variant."""
    panels = numbers["panels"]
    layout = line_panels(width, panels, _LEAST_IN)
    for axes, panel in zip(layout.all_axes, panels, strict=True):
        for line in panel["lines"]:
            style = layout.styles[line["label"]]
            steps, value, low, high = (
                np.insert(np.array(line[name], dtype=float), line["breaks"], np.nan)
                for name in ("steps", "value", "low", "high")
            )
            alone = _alone(np.isfinite(steps))
            marker = "o" if alone else None  # a line of one point is invisible
            [handle] = axes.plot(steps, value, marker=marker, markevery=alone, ms=3, **style)
            layout.handles.setdefault(line["label"], handle)
            alpha = layout.band_alpha
            axes.fill_between(steps, low, high, color=style["color"], alpha=alpha, lw=0)
        if panel["lines"]:
            axes.set_ylim(*_limits(panel["lines"]))
        axes.set_xlabel(axis_label(panel["axis"]))
        axes.set_ylabel(wrap(panel["heading"], HEIGHT_IN, LABEL_SIZE))
    return layout.finish()


def _alone(is_there: NDArray[np.bool_]) -> list[int]:
    """Return the places of the points that no line joins to a neighbour."""
    joined = is_there[:-1] & is_there[1:]
    has_neighbour = np.concatenate(([False], joined)) | np.concatenate((joined, [False]))
    return np.flatnonzero(is_there & ~has_neighbour).tolist()


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
