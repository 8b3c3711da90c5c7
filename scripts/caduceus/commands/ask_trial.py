"""Get a trial's parameters from the W&B server, once it has trials 0 to t - lag."""

import argparse
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.runs.files.trial import Trial
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.sweeps.folders import SweepFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "ended", type=Path, nargs="*", help="upload.json of each run of the trial `lag` before"
    )
    parser.add_argument("--project", required=True, help="[ENTITY/]PROJECT")
    parser.add_argument("--is-online", type=int, required=True, help="1 if runs are tracked online")
    parser.add_argument("--out", type=Path, required=True, help="the trial's file")


def run(arguments: argparse.Namespace) -> None:
    folder, number = SweepFolder.of_trial(arguments.out), int(arguments.out.stem)

    def choose() -> Trial:
        if not arguments.is_online:
            raise SpecError(
                "wandb.mode: a W&B server chooses the trials of this sweep (engine: wandb): set it "
                "to online, or let caduceus choose them",
                "config.yaml",
            )
        from caduceus.server.sweep_agent import ask_trial  # requests

        runs = [path.parent for path in arguments.ended]
        return ask_trial(folder, number, ProjectPath.parse(arguments.project), runs)

    folder.write_once(arguments.out.stem, choose)
