"""Export a run of a W&B project from the server, whoever ran it."""

import argparse
from pathlib import Path

from caduceus.exports.run import export_logs
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.folder import RunFolder
from caduceus.server.logs import fetched_log


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("state", type=Path, help="results/projects/…/runs/RUN/server.json")
    parser.add_argument("--out", type=Path, required=True, help="manifest.json beside it")


def run(arguments: argparse.Namespace) -> None:
    folder = arguments.out.parent
    state = ServerState.read(arguments.state)
    export_logs([fetched_log(state, RunFolder(folder).server)], folder)
