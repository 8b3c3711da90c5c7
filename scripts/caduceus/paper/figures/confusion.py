"""Figures of kind confusion: a confusion matrix for each variant, averaged over its runs."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from caduceus.errors import SpecError
from caduceus.io.csv_rows import columns_of, text_rows
from caduceus.io.files import read_json
from caduceus.io.phrases import pasted
from caduceus.paper.figures.figure_data import FigureContent, FigureData, rounded, run_count
from caduceus.paper.figures.layout import (
    LINE_IN,
    column_count,
    grow,
    new_panels,
    set_panel_height,
    text_width,
    wrap,
)
from caduceus.paper.figures.style import COLOURS, LABEL_SIZE, TICK_SIZE
from caduceus.paper.results import Result, Variant
from caduceus.runs.files.export import Summary
from caduceus.runs.unknown_metrics import logged_instead
from caduceus.statistics.samples import Array

Counts = Counter[tuple[str, str]]  # examples by actual class and predicted class
_PREDICTIONS = "predictions.csv"
_SHADES = LinearSegmentedColormap.from_list("shades", ["#f4f6f8", COLOURS[0], "#00263d"])
_LEAST_CELL_IN = 0.17  # inches of the smallest cell that has room for its number
_NUMBER_SIZE = 7  # points
_MOST_CELLS = 2_500  # drawn as vectors; a larger matrix is a bitmap
_LEAST_IN = (1.0, 0.8, 0.6)  # least widths of a matrix in inches, tried in this order
_MOST_IN = 2.4  # greatest width of a matrix in inches
_PAGE_IN = 8.0  # height of a page in inches, without the caption
_MOST_SHARE = 0.3  # of the page's width, for the names of classes
_GAP_IN, _AXIS_IN, _BAR_IN = 0.12, 0.3, 0.55


def count_predictions(result: Result, chart: str | None) -> Counts | None:
    """Count a run's examples by actual and predicted class; None if it logged no predictions.

    Args:
        result: the run.
        chart: the name under which it logged `wandb.plot.confusion_matrix`; None for the columns
            `label` and `prediction` of predictions.csv in an artifact of type results.
    """
    summary = Summary.read(result.folder / "run_summary.json")
    if chart is not None:
        table: Any = summary.summary.get(f"{chart}_table")
        return _read_chart(result.folder / table["path"]) if table else None
    for artifact in summary.artifacts:
        if artifact.type == "results" and _PREDICTIONS in artifact.files:
            return _read_predictions(result.folder / "artifacts" / artifact.name / _PREDICTIONS)
    return None


def _read_chart(path: Path) -> Counts:
    table = read_json(path, "delete its run's manifest.json, and `snakemake` exports it again")
    actual, predicted = (table["columns"].index(name) for name in ("Actual", "Predicted"))
    [count] = {0, 1, 2} - {actual, predicted}
    return Counter({(str(row[actual]), str(row[predicted])): row[count] for row in table["data"]})


def _read_predictions(path: Path) -> Counts | None:
    if not {"label", "prediction"} <= set(columns_of(path)):
        return None
    return Counter(sorted((row["label"], row["prediction"]) for row in text_rows(path)))


def measure_confusion(data: FigureData) -> FigureContent:
    """Compute for each variant the percentages of each class's predictions, averaged over runs.

    Raises:
        SpecError: no run logged predictions.
    """
    metric = next(iter(data.entry.metrics.values()), None)
    chart = metric.name if metric else None
    found = {
        label: _counts(variant, chart)
        for variant, label in zip(data.variants, data.labels, strict=True)
    }
    if data.finished and not any(found.values()):
        raise SpecError(_no_predictions(chart, data.finished), data.where)
    classes = _classes(counts for runs in found.values() for counts in runs.values())
    panels = [
        {"label": label, "runs": list(runs), "percent": rounded(_percent(runs.values(), classes))}
        for label, runs in found.items()
        if runs
    ]
    over = run_count([len(panel["runs"]) for panel in panels])
    caption = [f"Percent of the examples of each class, averaged over {over}.", *data.failures()]
    shown = [run for panel in panels for run in panel["runs"]]
    return FigureContent(" ".join(caption), shown, {"classes": classes, "panels": panels})


def _counts(variant: Variant, chart: str | None) -> dict[str, Counts]:
    """Return the counts of each finished run that logged predictions, by run."""
    finished = (result for result in variant.results if result.state == "finished")
    by_run = {result.run: count_predictions(result, chart) for result in finished}
    return {run: counts for run, counts in by_run.items() if counts}


def _no_predictions(chart: str | None, finished: Iterable[Result]) -> str:
    if chart is not None:
        names = (name for result in finished for name in result.record.summary.summary)
        charts = [name.removesuffix("_table") for name in names if name.endswith("_table")]
        return (
            f"no run has a chart {pasted(chart)} by wandb.plot.confusion_matrix; "
            f"{logged_instead(chart, charts)}"
        )
    return (
        f"no run has {_PREDICTIONS} with columns label and prediction in an artifact of type "
        "results; log it, or name a chart by wandb.plot.confusion_matrix under metrics"
    )


def _classes(counts: Iterable[Counts]) -> list[str]:
    """Return all classes: integers in order, others as they first appear, actual ones first."""
    pairs = dict.fromkeys(pair for each in counts for pair in each)
    names = dict.fromkeys([*(actual for actual, _ in pairs), *(guess for _, guess in pairs)])
    is_number = all(name.lstrip("-").isdigit() for name in names)
    return sorted(names, key=int) if is_number else list(names)


def _percent(runs: Iterable[Counts], classes: Sequence[str]) -> Array:
    """Return percentages (actual, predicted), the mean of the runs; NaN for an unseen class."""
    counts = np.array([[[run[a, p] for p in classes] for a in classes] for run in runs], float)
    totals = counts.sum(axis=2, keepdims=True)
    shares = np.divide(100 * counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)
    known = np.isfinite(shares)
    mean = np.where(known, shares, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known.any(axis=0), mean, np.nan)


def draw_confusion(numbers: Mapping[str, Any], width: float) -> Figure:
    """Draw a panel for each variant: rows are actual classes, columns predicted ones."""
    panels, classes = numbers["panels"], numbers["classes"]
    names = [wrap(name, _MOST_SHARE * width, TICK_SIZE) for name in classes]
    widths = [text_width(line, TICK_SIZE) for name in names for line in name.split("\n")]
    columns, side, titles = _arrange([panel["label"] for panel in panels], width, max(widths))
    figure, all_axes = new_panels(width, len(panels), columns, side + _title_height(titles))
    step = math.ceil(len(names) * 0.9 * LINE_IN / side)  # more names would overlap
    at = range(0, len(names), step)
    is_upright = sum(widths[::step]) + 0.06 * len(at) > side
    has_room = side / len(classes) >= _LEAST_CELL_IN
    for place, (axes, panel, title) in enumerate(zip(all_axes, panels, titles, strict=True)):
        mesh = _draw_matrix(axes, np.array(panel["percent"], dtype=float), has_room)
        axes.set_title(title, pad=3)
        axes.set_yticks(at, names[::step] if place % columns == 0 else [""] * len(at))
        is_last = place + columns >= len(panels)
        axes.set_xticks(at, names[::step] if is_last else [""] * len(at))
        axes.tick_params(length=0, pad=2)
        axes.tick_params(axis="x", labelrotation=90 if is_upright else 0)
        axes.set_ylabel("" if place % columns else "actual")
        axes.set_xlabel("predicted" if is_last else "")
    if not has_room:
        bar = figure.colorbar(mesh, ax=all_axes, location="bottom", aspect=40, shrink=0.5, pad=0.01)
        bar.set_label("percent of the actual class")
        bar.outline.set_visible(False)
        grow(figure, _BAR_IN)
    is_wide = side == _MOST_IN
    set_panel_height(figure, all_axes, side if is_wide else None)
    # Set after the layout, which ignores the space that a fixed aspect leaves free.
    for axes in all_axes:
        axes.set_aspect("equal")
    return figure


def _arrange(labels: Sequence[str], width: float, names_in: float) -> tuple[int, float, list[str]]:
    """Return the number of columns, the width of a matrix in inches, and the wrapped titles.

    The largest width of `_LEAST_IN` whose rows fit on a page is taken; if none fits, the one with
    the lowest figure, as narrower matrices wrap their titles into more lines.
    """
    left = names_in + _AXIS_IN
    too_high = []
    for least in _LEAST_IN:
        columns = column_count(width, len(labels), least, left)
        side = min(_MOST_IN, (width - left) / columns - _GAP_IN)
        titles = [wrap(label, side, LABEL_SIZE) for label in labels]
        height = math.ceil(len(labels) / columns) * (side + _title_height(titles))
        if height < _PAGE_IN:
            return columns, side, titles
        too_high.append((height, columns, side, titles))
    return min(too_high, key=itemgetter(0))[1:]


def _title_height(titles: Sequence[str]) -> float:
    return max(title.count("\n") + 1 for title in titles) * 1.2 * LINE_IN + _GAP_IN


def _draw_matrix(axes: Axes, percent: Array, has_room: bool) -> Any:
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    is_fine = percent.size > _MOST_CELLS
    style: dict[str, Any] = {
        "edgecolor": "white",
        "lw": 0 if is_fine else 0.4,
        "rasterized": is_fine,
    }
    edges = np.arange(len(percent) + 1) - 0.5
    mesh = axes.pcolormesh(edges, edges, percent, cmap=_SHADES, vmin=0, vmax=100, **style)
    for (row, column), value in np.ndenumerate(percent if has_room else np.zeros((0, 0))):
        if value >= 0.5:  # rounds to 1 or more
            colour = "white" if value > 50 else "black"
            words: dict[str, Any] = {"color": colour, "ha": "center", "va": "center"}
            words |= {"size": _NUMBER_SIZE}
            number = axes.text(column, row, f"{value:.0f}", **words)
            number.set_in_layout(False)  # it lies inside the panel; measuring it is slow
    return mesh
