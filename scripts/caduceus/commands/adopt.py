"""Declare that the runs of an experiment are those of an earlier one, so that they don't train.

    caduceus adopt old new --why "train.py was renamed"

Each names an experiment or a run. The declarations are in adopted.yaml, with who made them and
when; git should keep it.
"""

import argparse
import sys
from pathlib import Path

from caduceus.commands import add_json, print_answer
from caduceus.errors import ResultError
from caduceus.io.yaml_files import load
from caduceus.project.adoption import declare, find_pairs
from caduceus.project.project import load_project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", help="the experiment or run that has been trained")
    parser.add_argument("new", help="the planned experiment or run that takes its results")
    parser.add_argument("--why", required=True, help="why their results are equal")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="(config.yaml)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    project = load_project(load(arguments.config).value, [str(arguments.config)])
    plans = [experiment.plan for experiment in project.experiments.values()]
    pairs, without = find_pairs(arguments.old, arguments.new, plans, arguments.results)
    for line in without:
        print(f"caduceus adopt: {line}", file=sys.stderr)
    if not pairs:
        raise ResultError(f"no run of {arguments.new} fits; name two single runs", arguments.old)
    adopted = declare(pairs, arguments.why, Path())
    entries = [each.to_json() for each in adopted]
    if not print_answer(arguments, {"adopted": entries, "without": without}):
        for each in adopted:
            print(f"{each.run}: takes {each.of}")
        print(f"adopted: {len(adopted)}; adopted.yaml has the declarations")
