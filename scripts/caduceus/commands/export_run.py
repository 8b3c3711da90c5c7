"""Export a run from W&B's log: summary, history, system metrics, media, artifacts."""

import argparse
import sys
from pathlib import Path

from caduceus.exports import damage_of, export_run
from caduceus.runs import RunFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/manifest.json")


def run(arguments: argparse.Namespace) -> None:
    export_run(RunFolder(arguments.out.parent))
    lost = damage_of(arguments.out)
    if lost:
        print(
            f"caduceus export-run: {arguments.out.parent.name}: the log is damaged: {lost}",
            file=sys.stderr,
        )
