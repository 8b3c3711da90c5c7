"""Write the outcome of a sweep's remote run, as the sweep needs it."""

import argparse
from pathlib import Path

from caduceus.io.files import write_json
from caduceus.runs.folder import RunFolder
from caduceus.server.remote_trials import remote_outcome


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trial", type=Path, help="the trial's file")
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/outcome.json")


def run(arguments: argparse.Namespace) -> None:
    write_json(arguments.out, remote_outcome(RunFolder(arguments.out.parent), arguments.trial))
