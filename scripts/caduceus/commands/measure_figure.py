"""Compute the numbers that a figure of the paper shows."""

import argparse
import json
from functools import partial
from pathlib import Path

from caduceus.io.failed_entries import Entry
from caduceus.io.light_pyarrow import import_light_pyarrow
from caduceus.paper.figures.failed import figure_files, write_failed_numbers
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
    spec, methods = json.loads(arguments.spec), Methods(**json.loads(arguments.statistics))
    entry, out = FigureEntry.from_json(spec), arguments.out
    if entry.kind == "curves":
        import_light_pyarrow()
    made = Entry(f"figures/{out.stem}", out.parents[2], figure_files(out), arguments.log)
    with made.costs_only_itself(partial(write_failed_numbers, entry, out)):
        measure_figure(entry, arguments.plans, arguments.trials, methods, out)
