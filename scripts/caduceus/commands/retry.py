"""Clear failed runs, so that the next `snakemake` tries them again."""

import argparse
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.training import retry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="*", help="ids of runs; all that failed if none is given")
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")


def run(arguments: argparse.Namespace) -> None:
    base = arguments.results / "runs"
    if not base.is_dir():
        raise ResultError(
            "no such folder; work in the project's folder or name --results", str(base)
        )
    for run_id in arguments.runs:
        if not (base / run_id).is_dir():
            raise ResultError(f"no such run; see {base}", run_id)
    folders = [base / run_id for run_id in arguments.runs] or sorted(base.iterdir())
    cleared = retry(iter(folders))
    print("\n".join([*cleared, f"to be tried again: {len(cleared)}"]))
