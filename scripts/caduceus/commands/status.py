"""Print the state of each run, the progress of running ones, and the stale results.

Only files and SLURM's queue are read, so it may be called at any time, on any node.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from caduceus.io.phrases import printable
from caduceus.system.remembered import print_remembered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="(config.yaml)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")


def run(arguments: argparse.Namespace) -> None:
    def find() -> Iterator[str]:
        from caduceus.overview.status_report import status_report  # what a stamp needs none of

        yield from map(printable, status_report(arguments.config, arguments.results))

    print_remembered("status", [str(arguments.config), str(arguments.results)], find)
