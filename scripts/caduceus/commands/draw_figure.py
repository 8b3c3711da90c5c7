"""Draw a figure of the paper as PDF, SVG and PNG."""

import argparse
from functools import partial
from pathlib import Path

from caduceus.io.failed_entries import Entry
from caduceus.io.files import read_json
from caduceus.paper.figures.failed import draw_failed, figure_files
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
    width, out = WIDTHS[arguments.venue][arguments.width], arguments.out
    made = Entry(f"figures/{out.stem}", out.parents[2], figure_files(out), arguments.log)
    if error := read_json(arguments.numbers).get("error"):  # measure_figure has recorded it
        draw_failed(out, width, error)
        return
    with made.costs_only_itself(partial(draw_failed, out, width)):
        draw_figure(arguments.numbers, arguments.trials, width, out)
