"""Decide whether the present edit is better than the best so far, beyond noise, all tries counted.

The edit is run on the seeds of the incumbent, a few at a time, and kept only if fresh seeds confirm
it. The same edit again goes on, or is answered from results/tries. Words after -- are Snakemake's:

    caduceus try "a wider second layer"
    caduceus try "warm-up of the learning rate" --json -- --workflow-profile workflow/profiles/slurm

Exit status: 0 kept, 4 discarded, 5 undecided, 6 refused; 1 an error, 2 wrong arguments.
"""

import argparse
import sys
from pathlib import Path

from caduceus.commands import add_json, print_answer
from caduceus.io.phrases import printable
from caduceus.runs.goal import Goal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("why", help="what the edit is for, in a few words")
    parser.add_argument("--name", help="the ledger, or the experiment's file, if there are several")
    parser.add_argument("--against", help="a run of the first incumbent, or the variant to edit")
    parser.add_argument("--metric", help="the metric that decides (that of the experiment)")
    parser.add_argument("--goal", type=Goal, choices=[*Goal], help="if no file says the metric's")
    parser.add_argument("--budget", type=int, help="at most so many pairs of runs on fresh seeds")
    parser.add_argument("--cores", default="all", help="cores for Snakemake (all)")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="(config.yaml)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")
    add_json(parser)
    parser.set_defaults(snakemake=[])  # the arguments after --


def run(arguments: argparse.Namespace) -> int:
    # statistics take numpy, which the other commands needn't wait for
    from caduceus.overview.live_notices import tell_verdict
    from caduceus.tries.opening import Options
    from caduceus.tries.session import try_edit

    options = Options(arguments.against, arguments.metric, arguments.goal, arguments.budget)
    words = ["--cores", arguments.cores, *arguments.snakemake]
    files = arguments.config, arguments.results
    answer = try_edit(arguments.why, arguments.name, options, *files, words)
    lines = [printable(line) for line in answer.lines()]
    if not print_answer(arguments, answer.to_json()):
        print(*lines, sep="\n", flush=True)
    if answer.is_new and (warning := tell_verdict(lines[0], *files)):
        print(f"caduceus try: {warning}", file=sys.stderr)
    return answer.status
