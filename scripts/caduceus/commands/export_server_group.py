"""Export a group of a W&B project: every run in one table, and the history of all."""

import argparse
from pathlib import Path

from caduceus.exports.group import export_loose_group
from caduceus.io.files import read_json
from caduceus.io.light_pyarrow import import_light_pyarrow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("index", type=Path, help="results/projects/…/runs.json")
    parser.add_argument("--out", type=Path, required=True, help="…/groups/GROUP/runs.csv")


def run(arguments: argparse.Namespace) -> None:
    import_light_pyarrow()
    folder = arguments.out.parent
    members = [run for run, group in read_json(arguments.index).items() if group == folder.name]
    export_loose_group([arguments.index.parent / "runs" / name for name in members], folder)
