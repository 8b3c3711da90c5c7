"""Figures of a paper: curves and bars."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caduceus.drawing import COLOURS, house_style, new_figure
from caduceus.paper.aggregates import (
    Aggregate,
    check_metrics,
    parameters_of,
    published_value,
    result_names,
    variant_label,
    variants_of,
    varying_parameters,
)
from caduceus.statistics import estimate_mean


def draw_figure(
    spec: Mapping[str, Any],
    aggregates: Sequence[Aggregate],
    histories: Sequence[Path],
    runs: Sequence[Mapping[str, Any]],
    where: str,
) -> Figure:
    """Draw a figure of `paper.figures` in config.yaml. Runs that failed are left out, and counted.

    Args:
        spec: its entry there.
        aggregates: the variants' aggregates over seeds.
        histories: the groups' history.parquet.
        runs: rows of runs.csv, their cells parsed.
        where: the figure's name, for messages.

    Raises:
        SpecError: no run has one of the metrics.
    """
    finished = [run for run in runs if run["state"] == "finished"]
    with house_style():
        check_metrics(spec, _metric_names(spec, aggregates, histories), f"figures.{where}")
        panels = len(spec["metrics"])
        bars = len(variants_of(aggregates)) if spec["kind"] == "bars" else 0
        width = max(3.4, 0.55 * bars)  # inches a panel
        figure = new_figure(width * panels + 1.2, 2.9)
        all_axes = figure.subplots(1, panels, squeeze=False)[0]
        for axes, (heading, metric) in zip(all_axes, spec["metrics"].items(), strict=True):
            unit = " (%)" if spec["percent"] else ""
            axes.set_ylabel(f"{heading}{unit}")
            if spec["kind"] == "curves":
                _draw_curves(axes, metric, spec, aggregates, histories, finished)
            else:
                _draw_bars(axes, metric, spec, aggregates, finished)
        if spec["title"]:
            figure.suptitle(spec["title"], fontsize=10)
        handles, labels = all_axes[0].get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside right center")
    return figure


def _metric_names(
    spec: Mapping[str, Any], aggregates: Sequence[Aggregate], histories: Sequence[Path]
) -> list[str]:
    """What can be drawn: a curve needs a history, a bar a result."""
    if spec["kind"] == "bars":
        return result_names(aggregates)
    return sorted({name for path in histories for name in pq.read_schema(path).names})


def _name(key: tuple[str, str], members: Sequence[Aggregate], names: Sequence[str]) -> str:
    """The variant's label, with how many of its runs failed."""
    failed = members[0]["failed"]
    return variant_label(key, members[0], names) + (f" ({failed} failed)" if failed else "")


def _draw_curves(
    axes: Axes,
    metric: str,
    spec: Mapping[str, Any],
    aggregates: Sequence[Aggregate],
    histories: Sequence[Path],
    finished: Sequence[Mapping[str, Any]],
) -> None:
    """The mean over seeds at each step, with a band for its 95 % interval."""
    scale = 100.0 if spec["percent"] else 1.0
    variants = variants_of(aggregates)
    names = varying_parameters(variants)
    columns = ["run", "experiment", "variant", "_step", metric]
    chosen = {run["run"] for run in finished}
    by_point: dict[tuple[str, str], dict[int, list[float]]] = {}
    for path in histories:
        if metric not in pq.read_schema(path).names:
            continue
        table = pq.read_table(path, columns=columns).to_pydict()
        for run, experiment, variant, step, value in zip(*(table[c] for c in columns), strict=True):
            if value is not None and run in chosen:
                points = by_point.setdefault((experiment, variant), {})
                points.setdefault(step, []).append(value * scale)
    for key, members in variants.items():
        points = by_point.get(key, {})
        if not points:
            continue
        steps = sorted(points)
        found = [estimate_mean(points[step]) for step in steps]
        label = _name(key, members, names)
        line = axes.plot(steps, [estimate.value for estimate in found], label=label, lw=1.3)[0]
        low = [estimate.low for estimate in found]
        high = [estimate.high for estimate in found]
        axes.fill_between(steps, low, high, color=line.get_color(), alpha=0.2, lw=0)
    axes.set_xlabel("step")


def _draw_bars(
    axes: Axes,
    metric: str,
    spec: Mapping[str, Any],
    aggregates: Sequence[Aggregate],
    finished: Sequence[Mapping[str, Any]],
) -> None:
    """A bar and an interval for each variant, a dot for each seed, a mark for what is published."""
    scale = 100.0 if spec["percent"] else 1.0
    variants = variants_of(aggregates)
    names = varying_parameters(variants)
    labels = []
    explained: set[str] = set()  # labels that the legend has already

    def label(text: str) -> str | None:
        is_new = text not in explained
        explained.add(text)
        return text if is_new else None

    for place, (key, members) in enumerate(variants.items()):
        labels.append(_name(key, members, names))
        member = next((m for m in members if m.get("metric") == metric), None)
        if member is None:
            continue
        axes.bar(place, member["mean"] * scale, width=0.7, color=COLOURS[0], alpha=0.35)
        if member["n"] > 1:
            margin = (member["high"] - member["low"]) / 2 * scale
            axes.errorbar(
                place,
                member["mean"] * scale,
                yerr=margin,
                color=COLOURS[0],
                capsize=3,
                zorder=3,
                label=label("95 % interval"),
            )
        values = [
            run[f"summary.{metric}"] * scale
            for run in finished
            if (run["experiment"], run["variant"]) == key and f"summary.{metric}" in run
        ]
        spread = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else [0.0]
        axes.plot(
            place + np.asarray(spread),
            values,
            ls="",
            marker="o",
            ms=2.5,
            alpha=0.6,
            color=COLOURS[0],
            label=label("one seed"),
        )
        published = published_value(spec["published"], parameters_of(members[0]))
        if published:
            axes.errorbar(
                place + 0.42,
                published.value,
                yerr=published.half_width,
                color=COLOURS[1],
                marker="D",
                ms=4,
                capsize=2,
                ls="",
                label=label("published"),
            )
    if sum(map(len, labels)) <= 40:
        axes.set_xticks(range(len(labels)), labels)
    else:  # more would overlap
        axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right", rotation_mode="anchor")
    for entry in spec["published"]:
        if entry["label"]:
            axes.axhline(entry["value"], color=COLOURS[6], ls=":", lw=1, label=entry["label"])
