"""Figures of runs that nobody has trained, up to what is drawn."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from caduceus.io.files import read_json, write_json, write_whole
from caduceus.paper.figures.figure import draw, measure, read_data
from caduceus.paper.figures.figure_data import FigureContent
from caduceus.paper.figures.style import house_style
from caduceus.project.paper import FigureEntry, parse_paper
from caduceus.statistics.settings import Methods
from exported_runs import Logged, export_runs
from matplotlib.figure import Figure
from projects import Project
from run_files import artifact


def entry_of(kind: str, **keys: Any) -> FigureEntry:
    """An entry of `paper.figures`, every default filled in."""
    return parse_paper({"figures": {"f": {"kind": kind} | keys}}, str).figures["f"]


def plans_of(project: Project) -> list[Path]:
    return sorted((project.path / "results/experiments").iterdir())


def measured(project: Project, kind: str, **keys: Any) -> FigureContent:
    """What a figure of the project's exports shows."""
    methods = Methods(**keys.pop("statistics", {}))
    return measure(read_data(entry_of(kind, **keys), plans_of(project), methods, "f"))


def drawn(content: FigureContent, kind: str, width: float = 5.5) -> Figure:
    """It as a figure whose layout is done."""
    with house_style():
        figure = draw(kind, content.numbers, width)
        figure.draw_without_rendering()
    return figure


def export_variants(project: Project, names: Sequence[str], seeds: int, logged: Logged) -> None:
    """Export runs of variants that differ in `arch`, the first of them the baseline."""
    project.change(
        "experiments/toy.yaml",
        matrix={"arch": list(names)},
        baseline={"arch": names[0]},
        seeds=list(range(seeds)),
        metric={"name": "acc", "goal": "maximize"},
    )
    export_runs(project, logged)


def define_axes(project: Project, axes: Mapping[str, str]) -> None:
    """Write into each run's export that its program declared these x axes, by metric."""
    for folder in project.runs:
        summary = read_json(folder / "run_summary.json")
        summary["defined_metrics"] = {name: {"step_metric": axis} for name, axis in axes.items()}
        write_json(folder / "run_summary.json", summary)


def add_predictions(project: Project, classes: Sequence[str], chart: str | None = None) -> None:
    """Let each run predict: 20 examples of each class, a quarter taken for the next one.

    Args:
        project: whose runs are exported.
        classes: their names.
        chart: the name of a chart by wandb.plot.confusion_matrix; None for predictions.csv.
    """
    pairs = [
        (name, classes[(place + (example % 4 == 0)) % len(classes)])
        for place, name in enumerate(classes)
        for example in range(20)
    ]
    for folder in project.runs:
        summary: dict[str, Any] = read_json(folder / "run_summary.json") | {"artifacts": []}
        if chart is None:
            text = "".join(f"{n},{a},{p}\n" for n, (a, p) in enumerate(pairs))
            path = folder / "artifacts/results-r/predictions.csv"
            write_whole(path, "example,label,prediction\n" + text)
            files = {"predictions.csv": {"bytes": len(text), "md5": "m"}}
            summary["artifacts"] = [artifact("results-r", "results", files).to_json()]
        else:
            rows = [[a, p, pairs.count((a, p))] for a in classes for p in classes]
            columns = ["Actual", "Predicted", "nPredictions"]
            write_json(folder / "media/table/t.json", {"columns": columns, "data": rows})
            media = {"_type": "table-file", "path": "media/table/t.json"}
            summary["summary"] |= {f"{chart}_table": media}
        write_json(folder / "run_summary.json", summary)


def learning(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """Accuracy and loss over 12 steps, other ones for each variant and seed."""
    rng = np.random.default_rng([seed, *map(ord, parameters["arch"])])
    top = rng.uniform(0.5, 0.95) + rng.normal(0, 0.01)
    steps = np.arange(1, 13)
    accuracy = top * (1 - np.exp(-steps / 4)) + rng.normal(0, 0.01, 12)
    return [{"acc": float(a), "loss": float(1 - a)} for a in accuracy]
