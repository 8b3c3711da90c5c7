"""Check the W&B set-up with a test run, or compare runs on the server with the local ones."""

import argparse
import sys

from caduceus.commands import add_json, print_answer
from caduceus.errors import CaduceusError
from caduceus.overview.verification.offline import check_offline
from caduceus.overview.verification.online import check_online
from caduceus.overview.verification.recording import write_verification
from caduceus.project.settings import load_settings
from caduceus.project.snakefile import chosen_config, chosen_results
from caduceus.server.client import Server
from caduceus.server.uploader import compare_run, run_folders
from caduceus.system.wandb_account import find_account


def add_arguments(parser: argparse.ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--online", action="store_true", help="check with a server in any mode")
    choice.add_argument("--equal", nargs="+", metavar="RUN", help="compare runs with the server's")
    parser.add_argument("--results", type=chosen_results, default="", help="(results)")
    parser.add_argument("--config", type=chosen_config, default="", help="(of the Snakefile)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    out = sys.stderr if arguments.json else sys.stdout
    if arguments.equal:
        server, compared = Server(find_account()), {}
        for folder in run_folders(arguments.results, arguments.equal):
            found = compared[folder.path.name] = compare_run(folder, server)
            for line in found or ["equal, byte for byte"]:
                print(f"{folder.path.name}: {line}", file=out, flush=True)
        print_answer(arguments, {"mode": None, "checks": [], "differences": compared})
        if unequal := sum(map(bool, compared.values())):
            raise CaduceusError(f"runs that differ from the server's: {unequal}")
        return
    settings = load_settings(arguments.config).wandb
    mode = "online" if arguments.online else settings.mode
    checks = []
    for check in check_online(settings) if mode == "online" else check_offline():
        checks.append(check)
        print(check, file=out, flush=True)
    write_verification(checks, mode, arguments.results / "verification.json")
    print_answer(arguments, {"mode": mode, "checks": checks, "differences": {}})
    if failed := sum(not check.is_ok for check in checks):
        raise CaduceusError(f"failed checks: {failed} of {len(checks)}")
