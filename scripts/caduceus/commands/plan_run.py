"""Write a run's definition and take a snapshot of its code."""

import argparse
import json
from pathlib import Path

from caduceus.project.plan_run import plan_run
from caduceus.runs.files.params import Params


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", type=Path, help="the experiment file")
    parser.add_argument(
        "--definition",
        type=json.loads,
        required=True,
        help="everything that decides its result, as JSON",
    )
    parser.add_argument(
        "trial", type=Path, nargs="?", help="the trial's file, for a run of a sweep"
    )
    parser.add_argument(
        "--code", type=json.loads, required=True, help="the experiment's `code`, as JSON"
    )
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/params.json")


def run(arguments: argparse.Namespace) -> None:
    params = Params.from_json(arguments.definition)
    plan_run(params, arguments.code, arguments.experiment, arguments.out, arguments.trial)
