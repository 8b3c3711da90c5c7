"""Write a run's W&B identity; wandb isn't started and no network is used."""

import argparse
import json
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.files import write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--identity", type=json.loads, required=True, help="id, name, group and so on, as JSON"
    )
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/run.json")


def run(arguments: argparse.Namespace) -> None:
    if arguments.identity["mode"] == "online":
        raise SpecError(
            "wandb.mode: online runs aren't built yet; keep `offline`, and `wandb sync` the "
            "folders below results/runs/RUN/work/wandb"
        )
    write_json(arguments.out, arguments.identity)
