"""Log a run's artifacts, and online send the rest of the run to the server."""

import argparse
import sys
from pathlib import Path

from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder
from caduceus.runs.further import with_further_runs
from caduceus.training.artifacts import upload_artifacts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", type=Path, nargs="?", help="the dataset's record, dataset.json")
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/upload.json")


def run(arguments: argparse.Namespace) -> None:
    path = arguments.out.parent
    receipt = upload_artifacts(path, arguments.dataset)
    if Identity.read(path / "run.json").mode == "online":
        from caduceus.server.uploader import sync_now

        for folder in with_further_runs(RunFolder(path)):
            if message := sync_now(folder):
                print(f"caduceus upload-artifacts: {message}", file=sys.stderr)
    receipt.write(arguments.out)
