"""Record the state on the W&B server of a remote run."""

import argparse
from pathlib import Path

from caduceus.runs.files.trial import Trial
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.client import Server
from caduceus.server.refresh import find_run, skipped_run
from caduceus.system.wandb_account import find_account


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", help="[ENTITY/]PROJECT")
    parser.add_argument(
        "--trial", type=Path, nargs="?", help="the trial's file, for a run of a sweep"
    )
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/server.json")


def run(arguments: argparse.Namespace) -> None:
    project, run_id = ProjectPath.parse(arguments.project), arguments.out.parent.name
    if arguments.trial is not None and Trial.read(arguments.trial).is_skipped:
        state = skipped_run(project.run(run_id))
    else:
        state = find_run(Server(find_account()), project, run_id)
    state.write(arguments.out)
