"""Print what the next snakemake would do, why, and about how long that takes; run nothing.

Arguments after -- go to Snakemake unchanged:

    caduceus plan
    caduceus plan --cores 8 -- --config experiments=experiments/mnist1d.yaml
"""

import argparse
import os
from collections.abc import Iterator

from caduceus.system.remembered import print_remembered


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
    def find() -> Iterator[str]:
        from caduceus.overview.plans import plan_report  # what a stamp needs none of

        yield from plan_report(arguments.snakemake, arguments.cores)

    print_remembered("plan", [str(arguments.cores), *arguments.snakemake], find)
