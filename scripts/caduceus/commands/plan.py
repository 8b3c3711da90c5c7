"""Print what the next snakemake would do, why, and about how long that takes; run nothing.

Arguments after -- go to Snakemake unchanged:

    caduceus plan
    caduceus plan --cores 8 -- --config experiments=experiments/mnist1d.yaml
"""

import argparse
import os

from caduceus.overview.plans import plan_lines, read_plan


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
    for line in plan_lines(read_plan(arguments.snakemake), arguments.cores):
        print(line)
