"""Choose a trial's parameters from the results of trials 0 to t - lag."""

import argparse
from pathlib import Path

from caduceus.sweeps.folders import SweepFolder
from caduceus.sweeps.trials import suggest_trial


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results", type=Path, nargs="*", help="train.json of each run of the trial `lag` before"
    )
    parser.add_argument("--out", type=Path, required=True, help="the trial's file")


def run(arguments: argparse.Namespace) -> None:
    folder, number = SweepFolder.of_trial(arguments.out), int(arguments.out.stem)
    suggest_trial(folder, number, arguments.results)
