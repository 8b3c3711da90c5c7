"""Figures of kind sweep: one of a sweep's charts, in the width of the paper."""

from pathlib import Path

from matplotlib.figure import Figure

from caduceus.exports.sweep_tables import read_importances, read_trial_table
from caduceus.paper.figures.figure_data import FigureContent
from caduceus.paper.figures.sweep_charts import draw_panel
from caduceus.paper.figures.sweep_data import SweepData
from caduceus.sweeps.folders import SweepFolder

_CAPTIONS = {
    "history": "The objective of each trial, and the best so far.",
    "parallel_coordinates": "A line for each trial; the better its objective, the darker.",
    "importance": "The share of the objective's variance that each parameter explains alone.",
    "slices": "The objective of each trial against each parameter.",
    "expected_best": "The best objective to expect of so many trials, and its standard deviation.",
}


def measure_sweep(trials: Path, panel: str) -> FigureContent:
    """Return the trials of results/sweeps/SWEEP/trials.csv that the chart `panel` shows."""
    folder = SweepFolder(trials.parent)
    rows = read_trial_table(trials, folder.config().space)
    names = ("trial", "state", "objective", "stopped_early", "parameters")
    numbers = {
        "sweep": folder.path.name,
        "panel": panel,
        "trials": [{name: getattr(row, name) for name in names} for row in rows],
    }
    if panel == "importance":
        numbers["importances"] = list(map(vars, read_importances(folder.path / "importance.csv")))
    return FigureContent(_CAPTIONS[panel], [run for row in rows for run in row.runs], numbers)


def draw_sweep(trials: Path, panel: str, width: float) -> Figure:
    """Draw the chart `panel` of a sweep, `width` inches wide."""
    folder = SweepFolder(trials.parent)
    config = folder.config()
    sweep = SweepData(read_trial_table(trials, config.space), config)
    importances = read_importances(folder.path / "importance.csv")
    return draw_panel(panel, sweep, importances, width)
