"""Run a training program, and record how it ended."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from caduceus.io.files import files_below
from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder
from caduceus.training.train import StoppedError, train

if TYPE_CHECKING:
    from caduceus.sweeps.pruning import TrialCriteria


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", type=Path, nargs="?", help="the dataset's record, dataset.json")
    parser.add_argument("--threads", type=int, default=1, help="processor threads (1)")
    parser.add_argument("--gpus", type=int, default=0, help="free GPUs for the program's use (0)")
    parser.add_argument("--retries-left", type=int, default=0, help="attempts after this one (0)")
    parser.add_argument("--minutes", type=float, default=0, help="time limit; 0 means none (0)")
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/train.json")


def run(arguments: argparse.Namespace, criteria: "TrialCriteria | None" = None) -> int | None:
    try:
        result = train(
            arguments.out,
            arguments.dataset,
            arguments.log,
            arguments.retries_left,
            arguments.threads,
            arguments.minutes * 60,
            arguments.gpus,
            criteria,
        )
    except StoppedError as stopped:
        from caduceus.system.time_limits import go_on_after_time_limit  # few runs need it

        print(f"caduceus train: {stopped}", file=sys.stderr)
        saved = RunFolder(arguments.out.parent).checkpoints
        go_on_after_time_limit(has_saved=bool(files_below(saved)))
        return 128 + stopped.signal
    if result.state == "failed":
        identity = Identity.read(RunFolder(arguments.out.parent).run_json)
        name = f"{identity.experiment} {identity.variant} seed {identity.seed}"
        print(f"caduceus train: {name} failed, others go on: {result.error}", file=sys.stderr)
    return None
