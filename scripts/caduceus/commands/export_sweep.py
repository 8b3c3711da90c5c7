"""Export a sweep: its trials in one table, the best as an experiment, importances, figures."""

import argparse
from pathlib import Path

from caduceus.exports.sweep import export_sweep
from caduceus.paper.figures.sweep_charts import draw_sweep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", type=Path, help="the plan of its experiment")
    parser.add_argument("--out", type=Path, required=True, help="results/sweeps/SWEEP/trials.csv")


def run(arguments: argparse.Namespace) -> None:
    sweep = export_sweep(arguments.plan, arguments.out)
    draw_sweep(sweep.trials, sweep.config, sweep.importances, sweep.folder / "figures")
    print(sweep.message)
