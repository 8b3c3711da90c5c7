"""Measure and draw a paper's figures: from an entry of `paper.figures` to files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from matplotlib.figure import Figure

from caduceus.io.files import read_json, write_json
from caduceus.paper.exported_runs import ExportedRuns, read_results
from caduceus.paper.figures.captions import write_caption
from caduceus.paper.figures.figure_data import FigureContent, FigureData
from caduceus.paper.figures.kinds import MODULES
from caduceus.paper.figures.layout import add_title
from caduceus.paper.figures.style import house_style, new_figure, write_figure
from caduceus.project.paper import FigureEntry
from caduceus.statistics.settings import Methods

# Kinds that read histories or files, so that their metrics need no number in the summary.
_OWN_METRICS = ("curves", "confusion")


def measure_figure(
    entry: FigureEntry,
    plans: Sequence[Path],
    trials: Path | None,
    methods: Methods,
    out: Path,
) -> None:
    """Write NAME.json, the numbers, caption and runs of a figure, and its caption as .tex and .md.

    Args:
        entry: the figure's entry in `paper.figures`; its width is not used.
        plans: results/experiments/ID.json of the experiments that it shows.
        trials: results/sweeps/SWEEP/trials.csv of a figure of kind sweep, else None.
        methods: the statistical methods.
        out: NAME.json.

    Raises:
        SpecError: no run has one of its metrics, or other data that its kind needs.
    """
    if trials:
        content = _kind("sweep").measure_sweep(trials, entry.panel)
    else:
        content = measure(read_data(entry, plans, methods, out.stem))
    about = {"name": out.stem, "kind": entry.kind, "title": entry.title}
    write_json(out, about | vars(content))
    write_caption(out, entry.title, content.caption)


def draw_figure(measured: Path, trials: Path | None, width: float, out: Path) -> None:
    """Write NAME.pdf, NAME.svg and NAME.png.

    Args:
        measured: NAME.json, see `measure_figure`.
        trials: see `measure_figure`.
        width: of the figure, in inches.
        out: NAME.pdf.
    """
    content = read_json(measured)
    with house_style():
        if trials:
            figure = _kind("sweep").draw_sweep(trials, content["numbers"]["panel"], width)
        else:
            figure = draw(content["kind"], content["numbers"], width)
        add_title(figure, content["title"])
    write_figure(figure, out.parent, out.stem)


def read_data(entry: FigureEntry, plans: Sequence[Path], methods: Methods, name: str) -> FigureData:
    """Read the results that the figure `name` shows; see `measure_figure`."""
    where = f"paper.figures.{name}"
    selection = replace(entry, metrics={}) if entry.kind in _OWN_METRICS else entry
    runs = ExportedRuns(plans, methods)
    variants = read_results(runs, selection, where)
    specs = {plan.spec.id: plan.spec for plan in runs.plans}
    return FigureData(entry, variants, specs, methods, where)


def measure(data: FigureData) -> FigureContent:
    """Compute the content of a figure; without numbers if no run has a result."""
    kind = data.entry.kind
    metrics = [] if kind in _OWN_METRICS else data.entry.metrics.values()
    values = [variant.by_seed(metric) for variant in data.variants for metric in metrics]
    if not data.finished or (values and not any(values)):
        return FigureContent(" ".join(data.failures()), [], {})
    return cast(FigureContent, getattr(_kind(kind), f"measure_{kind}")(data))


def draw(kind: str, numbers: Mapping[str, Any], width: float) -> Figure:
    """Draw a figure's numbers, `width` inches wide; call it within `house_style()`."""
    if numbers:
        return cast(Figure, getattr(_kind(kind), f"draw_{kind}")(numbers, width))
    figure = new_figure(width, 1.0)
    figure.text(0.5, 0.5, "No run has a result.", ha="center", va="center")
    return figure


def _kind(kind: str) -> Any:
    """The module of a kind; it has `measure_KIND` and `draw_KIND`."""
    return import_module(f"caduceus.paper.figures.{MODULES[kind]}")
