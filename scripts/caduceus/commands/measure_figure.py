"""Compute the numbers that a figure of the paper shows."""

import argparse
import json
from pathlib import Path

from caduceus.io.light_pyarrow import import_light_pyarrow
from caduceus.paper.figures.figure import measure_figure
from caduceus.project.paper import FigureEntry
from caduceus.statistics.settings import Methods


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plans", type=Path, nargs="+", help="the plans of its experiments")
    parser.add_argument(
        "--spec",
        required=True,
        help="its entry in `paper.figures` without its width, as JSON",
    )
    parser.add_argument(
        "--trials", type=Path, help="results/sweeps/SWEEP/trials.csv of a figure of kind sweep"
    )
    parser.add_argument("--statistics", required=True, help="`paper.statistics`, as JSON")
    parser.add_argument("--out", type=Path, required=True, help="the figure's JSON file")


def run(arguments: argparse.Namespace) -> None:
    entry = FigureEntry.from_json(json.loads(arguments.spec))
    if entry.kind == "curves":
        import_light_pyarrow()
    measure_figure(
        entry,
        arguments.plans,
        arguments.trials,
        Methods(**json.loads(arguments.statistics)),
        arguments.out,
    )
