"""Export W&B runs from their logs, including runs of other projects."""

import argparse
import os
import sys
from pathlib import Path

from caduceus.commands import PARTIAL
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


def run(arguments: argparse.Namespace) -> int:
    done, problems = export_folders(
        arguments.paths, arguments.out, arguments.groups, arguments.jobs
    )
    for problem in [*problems, *secret_lines(arguments.out, ("runs", "groups"))]:
        print(f"caduceus export: {printable(problem)}", file=sys.stderr)
    print(f"exported runs: {len(done)}, to {arguments.out}")
    return PARTIAL if problems else 0
