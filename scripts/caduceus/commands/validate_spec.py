"""Check an experiment file, fill in its defaults, and list its runs."""

import argparse
import json
import sys
from pathlib import Path

from caduceus.project.abbreviations import abbreviation_warnings
from caduceus.project.conventions import convention_warnings
from caduceus.project.experiments import load_experiment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", help="the experiment file")
    parser.add_argument(
        "--defaults", type=json.loads, required=True, help="`defaults` of config.yaml, as JSON"
    )
    parser.add_argument("--groups", type=json.loads, required=True, help="`wandb.groups`, as JSON")
    parser.add_argument("--out", type=Path, required=True, help="the plan to write")


def run(arguments: argparse.Namespace) -> None:
    experiment = load_experiment(arguments.experiment, arguments.defaults, arguments.groups, Path())
    warnings = [
        *convention_warnings(experiment.spec),
        *abbreviation_warnings(experiment.spec, experiment.code),
    ]
    for keys, message in warnings:
        where = experiment.source.where(keys)
        print(f"caduceus: warning: {where}: {keys[0]}: {message}", file=sys.stderr)
    experiment.plan.write(arguments.out)
