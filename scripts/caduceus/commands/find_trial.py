"""Find on the W&B server what a sweep chose for a remote trial."""

import argparse
from pathlib import Path

from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.remote_trials import find_trial
from caduceus.sweeps.folders import SweepFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results", type=Path, nargs="*", help="outcome.json of each run of the trial `lag` before"
    )
    parser.add_argument("--project", required=True, help="[ENTITY/]PROJECT")
    parser.add_argument("--out", type=Path, required=True, help="the trial's file")


def run(arguments: argparse.Namespace) -> None:
    folder, number = SweepFolder.of_trial(arguments.out), int(arguments.out.stem)
    project = ProjectPath.parse(arguments.project)
    find_trial(folder, number, project, arguments.results).write(arguments.out)
