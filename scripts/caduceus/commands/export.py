"""Export W&B runs from their logs, including runs of other projects."""

import argparse
import os
import sys
from pathlib import Path

from caduceus.commands import PARTIAL, add_json, print_answer
from caduceus.exports.folders import export_folders
from caduceus.io.phrases import printable
from caduceus.system.secret_search import secret_lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", type=Path, nargs="+", help="`.wandb` files, run folders, or folders with any below"
    )
    parser.add_argument("--out", type=Path, required=True, help="takes runs/RUN/ and groups/GROUP/")
    parser.add_argument(
        "--groups", action="store_true", help="also each W&B group: runs.csv and history.parquet"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (all cores)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    done, problems = export_folders(
        arguments.paths, arguments.out, arguments.groups, arguments.jobs
    )
    secrets = list(secret_lines(arguments.out, ("runs", "groups")))
    for problem in [*problems, *secrets]:
        print(f"caduceus export: {printable(problem)}", file=sys.stderr)
    answer = {"out": arguments.out, "runs": [folder.name for folder in done]}
    if not print_answer(arguments, {**answer, "problems": problems, "secrets": secrets}):
        print(f"exported runs: {len(done)}, to {arguments.out}")
    return PARTIAL if problems else 0
