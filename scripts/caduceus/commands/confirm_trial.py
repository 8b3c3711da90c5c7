"""Choose one of the best configurations, to run it again on fresh seeds."""

import argparse
from pathlib import Path

from caduceus.sweeps.folders import SweepFolder, parse_confirmation
from caduceus.sweeps.trials import confirm_trial


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="the confirmation's file")


def run(arguments: argparse.Namespace) -> None:
    folder = SweepFolder.of_trial(arguments.out)
    name = arguments.out.stem
    folder.write_once(name, lambda: confirm_trial(folder, *parse_confirmation(name)))
