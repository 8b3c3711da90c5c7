"""Ask the W&B server how far a run has come that was made elsewhere."""

import argparse
from pathlib import Path

from caduceus.accounts import find_account
from caduceus.files import write_json
from caduceus.refreshing import find_run
from caduceus.server import Server
from caduceus.server_runs import RunPath


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", help="[ENTITY/]PROJECT")
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/server.json")


def run(arguments: argparse.Namespace) -> None:
    entity, _, project = arguments.project.rpartition("/")
    path = RunPath(entity, project, arguments.out.parent.name)
    write_json(arguments.out, find_run(Server(find_account()), path).as_json())
