"""Export a run of a W&B project from the server, whoever ran it."""

import argparse
import sys
from pathlib import Path

from caduceus.exports.failures import named
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
    with named(folder.name):
        manifest = export_logs([fetched_log(state, RunFolder(folder).server)], folder)
    for lost in [*(manifest.missing or ()), *(manifest.left_out or ())]:
        print(f"caduceus export-server-run: {folder.name}: {lost}", file=sys.stderr)
