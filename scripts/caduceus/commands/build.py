"""Train what is missing, export it, and make tables, figures and verdicts: Snakemake's work.

All arguments but --plain and --json go to Snakemake unchanged, after `--scheduler greedy`; the exit
status is Snakemake's, and 130 after Ctrl-C:

    caduceus build --cores 8
    caduceus build --cores 8 paper --config experiments=experiments/mnist1d.yaml
    caduceus build --cores 8 --plain    a line for each finished run or step, even on a terminal
    caduceus build --cores 8 --json     how it ended, as one JSON object; see `caduceus schema`

Where nothing has changed since Snakemake had nothing to do, that is said without it.
"""

import argparse

from caduceus.system.snakemake_process import run_snakemake

TAKES_ALL = True  # every argument but --plain and --json is Snakemake's


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(snakemake=[])


def run(arguments: argparse.Namespace) -> int:
    words = [word for word in arguments.snakemake if word not in ("--plain", "--json")]
    if "--json" in arguments.snakemake:
        from caduceus.overview.terminal.build_ending import build_as_json

        arguments.json = True  # of an error
        status, answer = build_as_json(words)
        print(answer)
        return status
    return run_snakemake(words, is_plain="--plain" in arguments.snakemake)
