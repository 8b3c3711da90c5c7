"""See to it that a run's artifacts are logged: model, results, experiment file, dataset."""

import argparse
from pathlib import Path

from caduceus.files import write_json
from caduceus.uploads import upload_artifacts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", type=Path, nargs="?", help="the record of its dataset")
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/upload.json")


def run(arguments: argparse.Namespace) -> None:
    receipt = upload_artifacts(arguments.out.parent, arguments.dataset)
    write_json(arguments.out, receipt)
