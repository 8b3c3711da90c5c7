"""Export a group of a W&B project: every run in one table, and the history of all."""

import argparse
from functools import partial
from pathlib import Path

from caduceus.exports.group import export_loose_group, loose_group_files, write_failed_group
from caduceus.io.failed_entries import Entry
from caduceus.io.files import read_json
from caduceus.io.light_pyarrow import import_light_pyarrow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("index", type=Path, help="results/projects/…/runs.json")
    parser.add_argument("--out", type=Path, required=True, help="…/groups/GROUP/runs.csv")


def run(arguments: argparse.Namespace) -> None:
    import_light_pyarrow()
    folder, results = arguments.out.parent, arguments.out.parents[5]
    item = arguments.out.relative_to(results).with_suffix("").as_posix()
    made = Entry(item, results, loose_group_files(folder), arguments.log)
    with made.costs_only_itself(partial(write_failed_group, made.files)):
        members = [run for run, group in read_json(arguments.index).items() if group == folder.name]
        export_loose_group([arguments.index.parent / "runs" / name for name in members], folder)
