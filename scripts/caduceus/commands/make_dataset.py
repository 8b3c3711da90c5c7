"""Make or find a dataset, compute its digest, and check it against its declaration."""

import argparse
import json
from pathlib import Path

from caduceus.runs.files.plan import Dataset
from caduceus.training.datasets import make_dataset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--spec", type=json.loads, required=True, help="`dataset` of an experiment, as JSON"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="results/datasets/NAME/dataset.json"
    )


def run(arguments: argparse.Namespace) -> None:
    record = make_dataset(Dataset.from_json(arguments.spec), arguments.out.parent)
    record.write(arguments.out)
    print(f"dataset {record.name}: {record.bytes} bytes, sha256 {record.sha256}")
