"""Check this machine and this project, and say how to fix what is wrong."""

import argparse
from pathlib import Path

from caduceus.overview.doctor.examination import examine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="(config.yaml)")


def run(arguments: argparse.Namespace) -> int:
    errors = 0
    for finding in examine(Path(), arguments.config):
        errors += finding.level == "error"
        print(finding, flush=True)
    return 1 if errors else 0
