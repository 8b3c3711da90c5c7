"""Print what the next snakemake would do, why, and about how long that takes; run nothing.

Arguments after -- go to Snakemake unchanged:

    caduceus plan
    caduceus plan --cores 8 -- --config experiments=experiments/mnist1d.yaml
"""

import argparse
import os
from contextlib import suppress
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.phrases import printable
from caduceus.io.yaml_files import load
from caduceus.overview.metric_warnings import metric_warnings
from caduceus.overview.plans import plan_lines, read_plan
from caduceus.project.project import load_project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cores = os.cpu_count() or 1
    parser.add_argument(
        "--cores",
        type=int,
        default=cores,
        help="cores that the estimated time is for (all of this machine)",
    )
    parser.set_defaults(snakemake=[])  # the arguments after --


def run(arguments: argparse.Namespace) -> None:
    with suppress(SpecError):  # no config.yaml, or Snakemake says what is wrong in it
        project = load_project(load(Path("config.yaml")).value, ["config.yaml"])
        for line in metric_warnings(project, Path("results")):
            print(printable(f"warning: {line}"))
    for line in plan_lines(read_plan(arguments.snakemake), arguments.cores):
        print(line)
