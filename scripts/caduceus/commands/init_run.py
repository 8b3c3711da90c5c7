"""Write a run's W&B identity; wandb isn't started and no network is used."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from caduceus.io.files import read_json
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.trial import Trial


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", type=Path, nargs="?", help="results/account.json, if online")
    parser.add_argument(
        "--identity",
        type=json.loads,
        required=True,
        help="name, group, tags, notes and so on, as JSON",
    )
    parser.add_argument(
        "--trial", type=Path, nargs="?", help="the trial's file, for a run of a sweep"
    )
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/run.json")


def run(arguments: argparse.Namespace) -> None:
    identity = Identity.from_json(arguments.identity)
    if arguments.trial is not None:
        trial = Trial.read(arguments.trial)
        identity = replace(identity, config={**identity.config, **(trial.parameters or {})})
        if trial.handed_out:
            identity = replace(identity, handed_out=trial.handed_out.run)
    if arguments.account is not None:
        account = read_json(arguments.account)
        place = f"{account['entity']}/{identity.project}/runs/{identity.server_id}"
        identity = replace(identity, entity=account["entity"], url=f"{account['url']}/{place}")
    identity.write(arguments.out)
