"""Make a table of the paper as CSV, Markdown and LaTeX."""

import argparse
import json
from pathlib import Path

from caduceus.paper.aggregates import read_rows
from caduceus.paper.tables import build_table, write_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "variants", type=Path, nargs="+", help="variants.csv of the groups it shows"
    )
    parser.add_argument(
        "--spec", type=json.loads, required=True, help="its entry in `paper.tables`, as JSON"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="the CSV file; the others lie beside it"
    )


def run(arguments: argparse.Namespace) -> None:
    aggregates = read_rows(arguments.variants, arguments.spec["experiments"])
    table = build_table(arguments.spec, aggregates, arguments.out.stem)
    write_table(table, arguments.out.parent, arguments.out.stem)
