"""Write a sweep's plan, and take the code snapshot that all its trials run."""

import argparse
import json
from pathlib import Path

from caduceus.runs.files.sweep import SweepPlan
from caduceus.sweeps.trials import start_sweep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", type=Path, help="the experiment file")
    parser.add_argument("--plan", required=True, help="the sweep, as JSON")
    parser.add_argument(
        "--code", type=json.loads, required=True, help="the experiment's `code`, as JSON"
    )
    parser.add_argument("--out", type=Path, required=True, help="results/sweeps/SWEEP/sweep.json")


def run(arguments: argparse.Namespace) -> None:
    plan = SweepPlan.from_json(json.loads(arguments.plan))
    start_sweep(plan, arguments.code, arguments.experiment, arguments.out)
