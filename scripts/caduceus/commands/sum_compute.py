"""Sum the cost of all runs, including failed and abandoned ones, as CSV, JSON and LaTeX."""

import argparse
from pathlib import Path

from caduceus.paper.compute import sum_compute


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plans", type=Path, nargs="+", help="plans of all experiments")
    parser.add_argument("--out", type=Path, required=True, help="results/paper/compute.json")


def run(arguments: argparse.Namespace) -> None:
    sum_compute(arguments.plans, arguments.out.parent)
