"""Remove the lock of a killed Snakemake, unless one is still running here."""

import argparse
from pathlib import Path

from caduceus.commands import add_json, print_answer
from caduceus.io.phrases import count_of
from caduceus.runs.folder import RunFolder
from caduceus.system.leases import is_held
from caduceus.system.snakemake_lock import unlock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--directory", type=Path, default=Path(), help="the folder Snakemake works in (.)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    folder = arguments.directory
    is_removed = unlock(folder)
    runs = map(RunFolder, sorted((folder / "results/runs").glob("*")) if is_removed else ())
    left = [run for run in runs if not (run.path / "train.json").exists()]
    at_work = [run.path.name for run in left if is_held(run.lease, run.lock)]
    has_answered = print_answer(arguments, {"is_removed": is_removed, "running": at_work})
    if is_removed and not has_answered:
        print(f"removed the lock of a Snakemake that was killed: {folder.absolute()}")
        if at_work:
            count = count_of(len(at_work), "run")
            print(f"still running: {count}; the next Snakemake waits for it to end")
