"""Make a figure of the paper as PDF, SVG and PNG."""

import argparse
import json
from pathlib import Path

from caduceus.pages import WIDTHS
from caduceus.paper.figures import make_figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plans", type=Path, nargs="+", help="the plans of its experiments")
    parser.add_argument(
        "--spec", type=json.loads, required=True, help="its entry in `paper.figures`, as JSON"
    )
    parser.add_argument(
        "--trials", type=Path, help="results/sweeps/SWEEP/trials.csv of a figure of kind sweep"
    )
    parser.add_argument(
        "--statistics", type=json.loads, required=True, help="`paper.statistics`, as JSON"
    )
    parser.add_argument("--venue", choices=WIDTHS, required=True, help="whose widths it has")
    parser.add_argument(
        "--out", type=Path, required=True, help="the PDF file; the others lie beside it"
    )


def run(arguments: argparse.Namespace) -> None:
    make_figure(
        arguments.spec,
        arguments.plans,
        arguments.trials,
        arguments.statistics,
        arguments.venue,
        arguments.out,
    )
