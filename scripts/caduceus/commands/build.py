"""Train what is missing, export it, and make tables, figures and verdicts: Snakemake's work.

All arguments go to Snakemake unchanged, and so does its exit status:

    caduceus build --cores 8
    caduceus build --cores 8 paper --config experiments=experiments/mnist1d.yaml
"""

import argparse

from caduceus.system.snakemake_process import run_snakemake

TAKES_ALL = True  # every argument is Snakemake's


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(snakemake=[])


def run(arguments: argparse.Namespace) -> int:
    return run_snakemake(arguments.snakemake)
