"""Draw a figure of the paper as PDF, SVG and PNG."""

import argparse
from pathlib import Path

from caduceus.paper.figures.figure import draw_figure
from caduceus.paper.figures.layout import WIDTHS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("numbers", type=Path, help="the figure's JSON file")
    parser.add_argument(
        "--trials", type=Path, help="results/sweeps/SWEEP/trials.csv of a figure of kind sweep"
    )
    parser.add_argument(
        "--venue", choices=WIDTHS, required=True, help="the venue whose widths apply"
    )
    parser.add_argument(
        "--width",
        choices=("column", "text"),
        required=True,
        help="the width of the column or of the text",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="the PDF file; the others lie beside it"
    )


def run(arguments: argparse.Namespace) -> None:
    width = WIDTHS[arguments.venue][arguments.width]
    draw_figure(arguments.numbers, arguments.trials, width, arguments.out)
