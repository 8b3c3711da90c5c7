"""Sum the cost of all runs, including failed and abandoned ones, as CSV, JSON and LaTeX."""

import argparse
from functools import partial
from pathlib import Path

from caduceus.io.failed_entries import Entry
from caduceus.paper.compute import COMPUTE_FILES, sum_compute, write_failed_compute


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plans", type=Path, nargs="+", help="plans of all experiments")
    parser.add_argument("--out", type=Path, required=True, help="results/paper/compute.json")


def run(arguments: argparse.Namespace) -> None:
    folder = arguments.out.parent
    files = [folder / name for name in COMPUTE_FILES]
    made = Entry("compute", folder.parent, files, arguments.log)
    with made.costs_only_itself(partial(write_failed_compute, folder)):
        sum_compute(arguments.plans, folder)
