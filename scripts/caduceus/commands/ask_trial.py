"""Let the W&B server choose a trial's parameters, once it has trials 0 to t - lag."""

import argparse
from pathlib import Path

from caduceus.accounts import find_account
from caduceus.files import read_json, write_json
from caduceus.server import Server
from caduceus.server_runs import RunPath
from caduceus.sweeps.agents import ask_trial
from caduceus.sweeps.folders import SweepFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", type=Path, help="results/account.json")
    parser.add_argument("--out", type=Path, required=True, help="the trial's file")


def run(arguments: argparse.Namespace) -> None:
    folder, number = SweepFolder.of_trial(arguments.out), int(arguments.out.stem)
    account = read_json(arguments.account)
    place = RunPath(account["entity"], account["project"], "")
    write_json(arguments.out, ask_trial(folder, number, Server(find_account()), place))
