"""Clear failed runs and entries, so that the next `snakemake` tries them again."""

import argparse
import sys
from pathlib import Path

from caduceus.commands import PARTIAL, add_json, print_answer
from caduceus.errors import ResultError
from caduceus.io.failed_entries import clear_failed
from caduceus.io.phrases import printable
from caduceus.project.snakefile import chosen_results
from caduceus.runs.files.plan import Plan
from caduceus.training.train import retry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs",
        nargs="*",
        help="ids of runs (all failed runs of the experiments, and all failed entries)",
    )
    parser.add_argument("--results", type=chosen_results, default="", help="(results)")
    add_json(parser)


def _planned(plans: Path) -> list[str]:
    """Return the runs of all plans, without older runs that no plan lists any more."""
    return [run.id for plan in sorted(plans.glob("*.json")) for run in Plan.read(plan).runs]


def run(arguments: argparse.Namespace) -> int:
    base = arguments.results / "runs"
    if not base.is_dir():
        raise ResultError(
            "no such folder; work in the project's folder or give --results", str(base)
        )
    for run_id in arguments.runs:
        if not (base / run_id).is_dir():
            raise ResultError(f"no such run; see {base}", run_id)
    runs, damaged = [], []
    for run_id in arguments.runs or _planned(arguments.results / "experiments"):
        try:
            runs += retry([base / run_id])
        except ResultError as error:  # costs no other run
            damaged.append(str(error))
            print(f"caduceus retry: {printable(str(error))}", file=sys.stderr)
    entries = [] if arguments.runs else clear_failed(arguments.results)
    if not print_answer(arguments, {"runs": runs, "entries": entries, "damaged": damaged}):
        print(*runs, *entries, f"to be tried again: {len(runs) + len(entries)}", sep="\n")
    return PARTIAL if damaged else 0
