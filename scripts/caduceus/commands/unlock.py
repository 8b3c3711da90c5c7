"""Remove the lock that a killed Snakemake left, unless one still runs here."""

import argparse
from pathlib import Path

from caduceus.locks import unlock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--directory", type=Path, default=Path(), help="the folder Snakemake works in (.)"
    )


def run(arguments: argparse.Namespace) -> None:
    unlock(arguments.directory)
