"""Clear failed runs and entries, so that the next `snakemake` tries them again."""

import argparse
from pathlib import Path

from caduceus.commands import add_json, print_answer
from caduceus.errors import ResultError
from caduceus.io.failed_entries import clear_failed
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


def run(arguments: argparse.Namespace) -> None:
    base = arguments.results / "runs"
    if not base.is_dir():
        raise ResultError(
            "no such folder; work in the project's folder or give --results", str(base)
        )
    for run_id in arguments.runs:
        if not (base / run_id).is_dir():
            raise ResultError(f"no such run; see {base}", run_id)
    run_ids = arguments.runs or _planned(arguments.results / "experiments")
    runs = retry(base / run_id for run_id in run_ids)
    entries = [] if arguments.runs else clear_failed(arguments.results)
    if not print_answer(arguments, {"runs": runs, "entries": entries}):
        print(*runs, *entries, f"to be tried again: {len(runs) + len(entries)}", sep="\n")
