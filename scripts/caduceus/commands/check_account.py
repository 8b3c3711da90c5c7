"""Check that the W&B account may log to the project, before anything trains."""

import argparse
from pathlib import Path

from caduceus.io.files import write_json
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.access import check_access
from caduceus.server.client import Server
from caduceus.system.wandb_account import find_account


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", help="[ENTITY/]PROJECT; the entity is a W&B user or team")
    parser.add_argument(
        "--for", dest="checked_for", default="", help="a digest of the runs that it is checked for"
    )
    parser.add_argument("--out", type=Path, required=True, help="results/account.json")


def run(arguments: argparse.Namespace) -> None:
    account = find_account()
    path = check_access(Server(account, patience_s=2), ProjectPath.parse(arguments.project))
    written = {"server": account.base_url, "url": account.url, "entity": path.entity}
    written["checked_for"] = arguments.checked_for
    write_json(arguments.out, written)
