"""Check a set-up with a W&B server, or that a run there equals the one here."""

import argparse
from pathlib import Path

from caduceus.accounts import find_account
from caduceus.errors import CaduceusError
from caduceus.online_checks import check_online
from caduceus.project import load_settings
from caduceus.server import Server
from caduceus.synchronization import compare_run, run_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--online", action="store_true", help="log a test run, and look at it")
    asked.add_argument("--equal", nargs="+", metavar="RUN", help="compare runs with the server's")
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="(config.yaml)")


def run(arguments: argparse.Namespace) -> None:
    failed = 0
    if arguments.online:
        for check in check_online(load_settings(arguments.config)["wandb"]):
            failed += not check.is_ok
            print(check, flush=True)
    else:
        server = Server(find_account())
        for folder in run_folders(arguments.results, arguments.equal):
            found = compare_run(folder, server)
            failed += bool(found)
            for line in found or ["equal, byte for byte"]:
                print(f"{folder.path.name}: {line}", flush=True)
    if failed:
        raise CaduceusError(f"{'checks that failed' if arguments.online else 'unequal'}: {failed}")
