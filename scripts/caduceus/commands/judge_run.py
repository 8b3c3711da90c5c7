"""Say what came of a sweep's run that was made elsewhere, as the sweep goes by it."""

import argparse
from pathlib import Path

from caduceus.io.files import write_json
from caduceus.runs.folder import RunFolder
from caduceus.server.sweep_trials import judge_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trial", type=Path, help="the file of its trial")
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/outcome.json")


def run(arguments: argparse.Namespace) -> None:
    write_json(arguments.out, judge_run(RunFolder(arguments.out.parent), arguments.trial))
