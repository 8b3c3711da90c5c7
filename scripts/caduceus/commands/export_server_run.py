"""Export a run of a W&B project from the server, whoever ran it."""

import argparse
from pathlib import Path

from caduceus.exports.run import export_logs
from caduceus.io.files import read_json
from caduceus.runs.folder import RunFolder
from caduceus.server.logs import fetched_log
from caduceus.server.runs import RunState


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("state", type=Path, help="results/projects/…/runs/RUN/server.json")
    parser.add_argument("--out", type=Path, required=True, help="manifest.json beside it")


def run(arguments: argparse.Namespace) -> None:
    folder = arguments.out.parent
    state = RunState.from_json(read_json(arguments.state))
    export_logs([fetched_log(state, RunFolder(folder).server)], folder)
