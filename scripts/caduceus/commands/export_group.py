"""Export a W&B group: every run in one table, aggregates by variant, history, compute."""

import argparse
from functools import partial
from pathlib import Path

from caduceus.exports.group import export_group, group_files, write_failed_group
from caduceus.io.failed_entries import Entry
from caduceus.io.light_pyarrow import import_light_pyarrow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plans", type=Path, nargs="+", help="plans of the group's experiments")
    parser.add_argument("--out", type=Path, required=True, help="results/groups/GROUP/runs.csv")
    parser.add_argument("--folds", type=int, default=0, help="the folds that seeds are; 0: none")


def run(arguments: argparse.Namespace) -> None:
    import_light_pyarrow()
    folder = arguments.out.parent
    made = Entry(f"groups/{folder.name}", folder.parents[1], group_files(folder), arguments.log)
    with made.costs_only_itself(partial(write_failed_group, made.files)):
        export_group(folder.name, arguments.plans, folder, arguments.folds)
