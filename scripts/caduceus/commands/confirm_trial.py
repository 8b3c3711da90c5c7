"""Choose one of the best configurations, to run it again on fresh seeds."""

import argparse
from pathlib import Path

from caduceus.files import read_json, write_json
from caduceus.sweeps.folders import SweepFolder, confirmed_place
from caduceus.sweeps.trials import confirm_trial


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="the confirmation's file")


def run(arguments: argparse.Namespace) -> None:
    folder = SweepFolder.of_trial(arguments.out)
    chosen = folder.chosen(arguments.out.stem)
    if not chosen.exists():
        write_json(chosen, confirm_trial(folder, *confirmed_place(arguments.out.stem)))
    write_json(arguments.out, read_json(chosen))
