"""Make a figure of the paper as PDF, SVG and PNG."""

import argparse
import json
from pathlib import Path

from caduceus.drawing import write_figure
from caduceus.paper.aggregates import read_rows
from caduceus.paper.figures import draw_figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    for name, what in (
        ("runs", "runs.csv"),
        ("variants", "variants.csv"),
        ("history", "history.parquet"),
    ):
        parser.add_argument(
            f"--{name}", type=Path, nargs="+", required=True, help=f"{what} of the groups it shows"
        )
    parser.add_argument(
        "--spec", type=json.loads, required=True, help="its entry in `paper.figures`, as JSON"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="the PDF file; the others lie beside it"
    )


def run(arguments: argparse.Namespace) -> None:
    chosen = arguments.spec["experiments"]
    aggregates = read_rows(arguments.variants, chosen)
    runs = read_rows(arguments.runs, chosen)
    figure = draw_figure(arguments.spec, aggregates, arguments.history, runs, arguments.out.stem)
    write_figure(figure, arguments.out.parent, arguments.out.stem)
