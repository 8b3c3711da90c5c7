"""Figures of kind bars: a bar for each variant, with an interval and a point for each seed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caduceus.paper.figures.figure_data import FigureContent, FigureData, rounded, run_count
from caduceus.paper.figures.style import COLOURS
from caduceus.paper.figures.variant_rows import note_missing, row_panels
from caduceus.paper.labels import published_value

_OWN_COLOUR, _PUBLISHED_COLOUR = COLOURS[:2]
_LINE_COLOURS = COLOURS[2:5]  # of published values that belong to no variant


def measure_bars(data: FigureData) -> FigureContent:
    """Compute each variant's results for each metric, beside the published ones."""
    published = data.entry.published
    runs: dict[str, None] = {}
    counts, panels = [], []
    for heading, metric in data.entry.metrics.items():
        rows = []
        for variant, label in zip(data.variants, data.labels, strict=True):
            by_seed = variant.by_seed(metric)
            runs |= dict.fromkeys(variant.runs(metric))
            row: dict[str, Any] = {
                "label": label,
                "experiment": variant.experiment,
                "variant": variant.name,
            }
            row |= {"n": len(by_seed), "runs": variant.runs(metric)}
            if by_seed:
                counts.append(len(by_seed))
                values = data.scale(heading) * np.array(list(by_seed.values()))
                estimate = data.estimate_metric(heading, values.tolist())
                row |= {name: rounded(getattr(estimate, name)) for name in ("value", "low", "high")}
                row |= {"values": dict(zip(by_seed, rounded(values), strict=True))}
            own = published_value(published, variant.parameters)
            if own:
                row["published"] = {"value": own.value, "interval": own.interval}
            rows.append(row)
        about = {"heading": data.titled(heading), "metric": metric.name}
        panels.append(about | {"rows": rows})
    others = {other.label: other.value for other in published if other.label}
    numbers: dict[str, Any] = {"statistic": data.methods.statistic, "interval": data.interval_name}
    numbers |= {"panels": panels, "others": others}
    return FigureContent(_caption(data, counts), list(runs), numbers)


def _caption(data: FigureData, counts: list[int]) -> str:
    sentences = [f"Over {run_count(counts)}: {data.method(counts)}."]
    if any(metric.range for metric in data.entry.metrics.values()):
        sentences.append("Intervals of metrics with a declared range don't leave it.")
    if data.entry.source and data.entry.published:
        sentences.append(f"Published: {data.entry.source}.")
    return " ".join([*sentences, *data.failures()])


def draw_bars(numbers: Mapping[str, Any], width: float) -> Figure:
    """Draw a panel for each metric, with a bar for each variant."""
    panels = numbers["panels"]
    layout = row_panels(width, panels)
    handles: dict[str, Any] = {}
    for axes, panel in zip(layout.all_axes, panels, strict=True):
        for place, row in enumerate(panel["rows"]):
            _draw_row(axes, place, row, numbers, handles)
        for (name, value), colour in zip(
            numbers["others"].items(), _LINE_COLOURS * 9, strict=False
        ):
            line = axes.axvline(value, color=colour, ls=(0, (3, 1.5)), lw=1)
            handles.setdefault(name, line)
    return layout.finish(handles)


def _draw_row(
    axes: Axes,
    place: int,
    row: Mapping[str, Any],
    names: Mapping[str, Any],
    handles: dict[str, Any],
) -> None:
    if not row["n"]:
        note_missing(axes, place)
    else:
        bar = axes.barh(place, row["value"], height=0.68, color=_OWN_COLOUR, alpha=0.3, lw=0)
        handles.setdefault(names["statistic"], bar)
        values = list(row["values"].values())
        spread = np.linspace(-0.2, 0.2, len(values)) if len(values) > 1 else np.zeros(1)
        dots: dict[str, Any] = {
            "marker": "o",
            "ms": 2.6,
            "mew": 0,
            "color": _OWN_COLOUR,
            "alpha": 0.65,
            "ls": "",
        }
        [points] = axes.plot(values, place + spread, **dots)
        handles.setdefault("one run", points)
    if row.get("low") is not None:
        ends = [[row["value"] - row["low"]], [row["high"] - row["value"]]]
        style: dict[str, Any] = {
            "color": "black",
            "elinewidth": 1,
            "capsize": 2.2,
            "capthick": 1,
            "ls": "",
        }
        handles.setdefault(
            names["interval"], axes.errorbar(row["value"], place, xerr=ends, **style)
        )
    if "published" in row:
        published = row["published"]
        style = {"color": _PUBLISHED_COLOUR, "marker": "D", "ms": 3.4, "elinewidth": 1, "ls": ""}
        mark = axes.errorbar(published["value"], place + 0.34, xerr=published["interval"], **style)
        handles.setdefault("published", mark)
