"""Print what the next snakemake would do, why, and about how long that takes; run nothing.

Arguments after -- go to Snakemake unchanged:

    caduceus plan
    caduceus plan --cores 8 -- --config experiments=experiments/mnist1d.yaml
"""

import argparse
import os
from collections.abc import Iterator

from caduceus.commands import add_json
from caduceus.system.remembered import print_remembered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cores = os.cpu_count() or 1
    parser.add_argument(
        "--cores",
        type=int,
        default=cores,
        help="cores that the estimated time is for (all of this machine)",
    )
    add_json(parser)
    parser.set_defaults(snakemake=[])  # the arguments after --


def run(arguments: argparse.Namespace) -> None:
    def find() -> Iterator[str]:
        from caduceus.overview import plan_report  # what a stamp needs none of

        if arguments.json:
            yield plan_report.plan_json(arguments.snakemake, arguments.cores)
        else:
            yield from plan_report.plan_text(arguments.snakemake, arguments.cores)

    name = "plan.json" if arguments.json else "plan"
    print_remembered(name, [str(arguments.cores), *arguments.snakemake], find)
