"""Train what is missing, export it, and make tables, figures and verdicts: Snakemake's work.

All arguments but --plain go to Snakemake unchanged, and its exit status is this command's:

    caduceus build --cores 8
    caduceus build --cores 8 paper --config experiments=experiments/mnist1d.yaml
    caduceus build --cores 8 --plain    a line for each finished run or step, even on a terminal

Where nothing has changed since Snakemake had nothing to do, that is said without it.
"""

import argparse

from caduceus.system.snakemake_process import run_snakemake

TAKES_ALL = True  # every argument but --plain is Snakemake's


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(snakemake=[])


def run(arguments: argparse.Namespace) -> int:
    words = [word for word in arguments.snakemake if word != "--plain"]
    return run_snakemake(words, is_plain=len(words) < len(arguments.snakemake))
